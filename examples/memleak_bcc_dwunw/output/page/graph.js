/* The flame graph: one element for each frame that is wide enough to be seen. */

const ROW = 20; /* pixels, as in page.css */
const NARROWEST = 1; /* pixels: narrower frames are left out, and counted */
const NARROWEST_TEXT = 34;
const HUES = [28, 205, 135, 275, 50, 340, 175, 235, 88, 310]; /* of modules; the others are grey */

/* `state` is the page's (page.js). */
function makeGraph(view, state, onChange) {
	const outer = document.getElementById('graph'), inner = document.getElementById('frames');
	const graph = {rows: [], places: new Map(), undrawn: 0, highest: 0};
	const hueOf = new Map(rankModules(view).slice(0, HUES.length).map((path, i) => [path, HUES[i]]));

	graph.hueOf = (module) => module >= 0 ? hueOf.get(view.modules[module].path) : undefined;

	/* -1 to 1: shrunk to grown */
	function trend(node) {
		if (state.colour === 'change')
			return (node.bytes - node.before_bytes) / Math.max(node.bytes, node.before_bytes, 1);
		return Math.max(-1, Math.min(1, node.per_minute / (state.fastest || 1)));
	}

	function paint(node, style) {
		if (state.colour !== 'module') {
			const t = trend(node);
			style.setProperty('--t', Math.sqrt(Math.abs(t)).toFixed(2));
			return t > 0.005 ? ' grown' : t < -0.005 ? ' shrunk' : ' same';
		}
		const fn = node.fn >= 0 ? view.functions[node.fn] : null;
		const hue = fn ? graph.hueOf(fn.module) : undefined;
		style.setProperty('--v', node.fn * 37 % 7 - 3);
		if (hue === undefined)
			return ' other';
		style.setProperty('--h', hue);
		return ' module';
	}

	function draw(node, left, width, row, above) {
		const frame = document.createElement('div'), fn = node.fn >= 0 ? view.functions[node.fn] : null;
		let kind = 'frame' + paint(node, frame.style);
		const pixels = width * graph.width;
		if (above)
			kind += ' above';
		if (node.inlined)
			kind += ' inlined';
		if (pixels < 3)
			kind += ' thin';
		if (state.found)
			kind += fn && state.found[node.fn] ? ' found' : ' unfound';
		if (state.selectedNodes.has(node))
			kind += ' selected';
		frame.className = kind;
		frame.id = 'frame' + graph.places.size;
		frame.setAttribute('role', 'treeitem');
		frame.setAttribute('aria-level', node.depth + 1);
		frame.style.left = (100 * left).toFixed(4) + '%';
		frame.style.width = (100 * width).toFixed(4) + '%';
		if (pixels > NARROWEST_TEXT)
			frame.textContent = labelOf(node);
		frame.frameNode = node;
		graph.places.set(node, {frame, row, left, width});
		(graph.rows[row] = graph.rows[row] || []).push(node);
	}

	function labelOf(node) {
		return node.fn < 0 ? 'all' : view.functions[node.fn].label;
	}

	function drawBelow(top, row) {
		const open = [[top, 0, 1, row]], measure = state.measure;
		while (open.length) {
			const [node, left, width, at] = open.pop(), whole = node[measure];
			let next = left;
			draw(node, left, width, at, false);
			for (const kid of node.kids) {
				const part = whole ? width * kid[measure] / whole : 0;
				if (part * graph.width < NARROWEST)
					graph.undrawn += kid[measure] ? 1 : 0;
				else
					open.push([kid, next, part, at + 1]);
				next += part;
			}
		}
	}

	graph.draw = () => {
		const chain = [];
		graph.places.clear();
		graph.rows = [];
		graph.undrawn = 0;
		graph.width = inner.clientWidth || outer.clientWidth;
		for (let node = state.zoom.parent; node; node = node.parent)
			chain.unshift(node);
		chain.forEach((node, row) => draw(node, 0, 1, row, true));
		drawBelow(state.zoom, chain.length);
		const height = graph.rows.length * ROW, made = document.createDocumentFragment();
		for (const row of graph.rows)
			row.sort((a, b) => graph.places.get(a).left - graph.places.get(b).left);
		for (const place of graph.places.values()) {
			place.frame.style.top = (state.flipped ? height - ROW * (place.row + 1) : ROW * place.row) + 'px';
			made.append(place.frame);
		}
		inner.style.height = height + 'px';
		inner.replaceChildren(made);
		graph.mark(graph.places.has(state.focus) ? state.focus : state.zoom, false);
		if (state.flipped)
			outer.scrollTop = outer.scrollHeight;
	};

	/* The frame that keys go on from; its details are shown. */
	graph.mark = (node, follow) => {
		const old = inner.querySelector('.current'), place = graph.places.get(node);
		if (old)
			old.classList.remove('current');
		if (!place)
			return;
		state.focus = node;
		place.frame.classList.add('current');
		outer.setAttribute('aria-activedescendant', place.frame.id);
		if (follow) {
			place.frame.setAttribute('aria-label', textOf(view, state, node));
			place.frame.scrollIntoView({block: 'nearest', inline: 'nearest'});
			onChange.details(node);
		}
	};

	function beside(node, step) {
		const row = graph.rows[graph.places.get(node).row];
		return row[row.indexOf(node) + step];
	}

	function towards(node, deeper) {
		return deeper ? node.kids.find((kid) => graph.places.has(kid)) : node.parent;
	}

	graph.keys = (event) => {
		const node = state.focus, down = event.key === 'ArrowDown';
		let next = null;
		if (event.key === 'Enter' || event.key === ' ')
			onChange.zoom(node);
		else if (event.key === 'Backspace' && state.zoom.parent)
			onChange.zoom(state.zoom.parent);
		else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight')
			next = beside(node, event.key === 'ArrowLeft' ? -1 : 1);
		else if (event.key === 'ArrowUp' || down)
			next = towards(node, down !== state.flipped);
		else if (event.key === 'Home')
			next = state.zoom;
		else
			return;
		event.preventDefault();
		if (next)
			graph.mark(next, true);
	};

	outer.addEventListener('keydown', graph.keys);
	outer.addEventListener('focus', () => onChange.details(state.focus));
	inner.addEventListener('click', (event) => {
		const node = event.target.frameNode;
		if (!node)
			return;
		graph.mark(node, false);
		onChange.zoom(node);
	});
	inner.addEventListener('mouseover', (event) => {
		if (event.target.frameNode)
			onChange.details(event.target.frameNode);
	});
	inner.addEventListener('mouseleave', () => onChange.details(state.focus));
	return graph;
}

/* One frame as a sentence. */
function textOf(view, state, node) {
	const fn = node.fn >= 0 ? view.functions[node.fn] : null;
	return (fn ? fn.name : 'all stacks') + (node.inlined ? ', inlined' : '') + ': ' + inUnits(node.bytes) + ' in ' +
		exact(node.blocks) + ' blocks, ' + percent(node.bytes, view.bytes);
}

/* file:line, the most bytes first; at most three. */
function placesOf(view, node) {
	const fn = view.functions[node.fn], lines = linesOf(node), numbers = Array.from(lines.keys());
	numbers.sort((a, b) => lines.get(b) - lines.get(a));
	const texts = numbers.slice(0, 3).map((number) => placeOf(fn, view.frames[number]));
	if (numbers.length > 3)
		texts.push('and ' + (numbers.length - 3) + ' more');
	return texts.filter((text) => text).join(', ');
}

function placeOf(fn, frame) {
	if (fn.pc)
		return '0x' + fn.pc;
	if (frame.line)
		return (fn.file || '?') + ':' + frame.line;
	return (fn.file ? fn.file + ' ' : '') + (frame.offset ? '+0x' + frame.offset.toString(16) : '');
}

/* What is shown of the frame under the pointer, or of the current one. */
function showDetails(view, state, node) {
	const box = document.getElementById('details'), fn = node.fn >= 0 ? view.functions[node.fn] : null;
	const name = element('div', {class: 'name'}, fn ? fn.name : 'all stacks');
	const facts = element('dl'), about = view.estimated ? '\u2248 ' : '';
	const add = (what, ...text) => facts.append(element('div', null, element('dt', null, what), element('dd', null, ...text)));
	if (node.inlined)
		name.append(' ', element('span', {class: 'tag'}, 'inlined'));
	if (node.byFramePointer)
		name.append(' ', element('span', {class: 'tag'}, 'left by frame pointer'));
	add('Bytes', about + inUnits(node.bytes), ' ', element('small', null, exact(node.bytes)));
	add('Blocks', about + exact(node.blocks));
	add('Share', percent(node.bytes, view.bytes) + (state.zoom.parent && isUnder(node, state.zoom) ?
		', ' + percent(node.bytes, state.zoom.bytes) + ' of the zoom' : ''));
	add('Growth', signedBytes(node.per_minute) + '/min');
	if (view.before) {
		add('Before', inUnits(node.before_bytes), ' ', element('small', null, exact(node.before_bytes)));
		add('Change', signedBytes(node.bytes - node.before_bytes), ' ',
		    element('small', null, signedExact(node.bytes - node.before_bytes) + ', blocks ' +
			    signedExact(node.blocks - node.before_blocks)));
	}
	add('Stacks', exact(node.stacks));
	if (node.oldest_ms)
		add('Oldest', duration(node.oldest_ms));
	if (fn && placesOf(view, node))
		add('Where', placesOf(view, node));
	if (fn)
		add('Module', fn.module >= 0 ? view.modules[fn.module].path : 'none');
	box.replaceChildren(name, facts);
}

function showLegend(view, state, graph, onSearch) {
	const box = document.getElementById('legend');
	if (state.colour !== 'module') {
		const words = state.colour === 'change' ? ['shrunk', 'grown'] : ['shrinks', 'grows'];
		box.replaceChildren(element('span', {class: 'scale'}, element('span', null, words[0]),
			element('i', {class: 'ramp', 'aria-hidden': 'true'}), element('span', null, words[1])));
		return;
	}
	const paths = rankModules(view).slice(0, HUES.length);
	const chips = paths.map((path) => {
		const module = view.modules.findIndex((other) => other.path === path);
		const chip = element('button', {type: 'button', class: 'chip', title: path}, element('i', {'aria-hidden': 'true'}), view.modules[module].name);
		chip.firstChild.style.setProperty('--h', graph.hueOf(module));
		chip.addEventListener('click', () => onSearch(path));
		return chip;
	});
	const paths_n = new Set(view.modules.map((module) => module.path)).size;
	if (paths_n > HUES.length)
		chips.push(element('span', {class: 'chip'}, element('i', {class: 'other', 'aria-hidden': 'true'}), (paths_n - HUES.length) + ' others'));
	box.replaceChildren(...chips);
}
