/* The page: what its parts share, and what the user does. */

const WALKS = {dwunw: 'stacks by call frame information', 'frame pointers': 'stacks by frame pointer', kernel: 'stacks by the kernel'};

function tile(what, text, small, picture) {
	return element('div', {class: 'tile'}, element('span', {class: 'what'}, what), element('b', null, text),
		element('small', null, small), picture || '');
}

/* Of all that is outstanding, since the first report that is known. */
function growthTile(view, about) {
	const most = view.reports.reduce((high, [, bytes]) => Math.max(high, bytes), 1), n = view.reports.length;
	const levels = view.reports.map(([, bytes]) => Math.floor(63 * bytes / most));
	return tile('Growth', about + signedBytes(view.per_minute) + '/min', n > 1 ? 'over ' + n + ' reports' : 'since the start',
		n > 1 ? trendLine(levels, n, 'outstanding bytes at ' + n + ' reports') : '');
}

function showHeader(view) {
	const about = view.estimated ? '\u2248 ' : '';
	const names = view.processes.map((process) => process.comm + ' (' + process.pid + ')');
	const who = names.length ? names.slice(0, 4).join(', ') + (names.length > 4 ? ' and ' + (names.length - 4) + ' more' : '') :
		view.walk === 'kernel' ? 'Kernel' : 'Outstanding allocations';
	const oldest = view.stacks.reduce((most, stack) => Math.max(most, stack.oldest_ms), 0);
	document.title = who + ': ' + inUnits(view.bytes) + ' outstanding';
	document.getElementById('title').textContent = who;
	document.getElementById('subtitle').textContent = 'Memory allocated and not freed, by the stacks that allocated it \u00b7 ' + clock(view.when);
	const tiles = [
		tile('Outstanding', about + inUnits(view.bytes), about + exact(view.bytes) + ' bytes'),
		tile('Blocks', about + exact(view.blocks), exact(view.stacks.length) + ' stacks'),
		growthTile(view, about),
		tile('Traced for', duration(view.elapsed_ms), WALKS[view.walk] || 'stacks by ' + view.walk),
	];
	if (!view.no_ages)
		tiles.push(tile('Oldest block', duration(oldest), view.min_age_ms ? 'younger than ' + duration(view.min_age_ms) + ' left out' : 'of any age'));
	if (view.all_bytes !== view.bytes)
		tiles.push(tile('Of any age', about + inUnits(view.all_bytes), about + exact(view.all_blocks) + ' blocks'));
	if (view.before)
		tiles.push(tile('Change', signedBytes(view.bytes - view.before.bytes), 'since ' + clock(view.before.when)));
	document.getElementById('tiles').replaceChildren(...tiles);
}

function showComplete(view) {
	const box = document.getElementById('complete'), whole = view.sums.reduce((sum, [, bytes]) => sum + bytes, 0);
	const row = ([reason, bytes, blocks]) => element('tr', {class: reason ? 'lack' : ''},
		element('td', null, reason === null ? 'Whole: walked to the root by call frame information' : visible(reason)),
		element('td', null, inUnits(bytes) + ' ', element('small', null, exact(bytes))), element('td', null, exact(blocks)),
		element('td', null, percent(bytes, whole)));
	const head = element('tr', null, ...['Stacks', 'Bytes', 'Blocks', 'Share'].map((text) => element('th', {scope: 'col'}, text)));
	const parts = [];
	if (view.sums.length)
		parts.push(element('table', {class: 'sums'}, element('thead', null, head), element('tbody', null, ...view.sums.map(row))));
	else
		parts.push(element('p', null, 'Stacks were walked by ' + (view.walk === 'kernel' ? 'the kernel' : view.walk) + ': nobody knows which of them are whole.'));
	if (view.estimated)
		parts.push(element('p', null, 'Numbers are estimates: allocations were sampled.'));
	parts.push(view.notes.length ? element('ul', {class: 'notes'}, ...view.notes.map((note) => element('li', null, visible(note)))) :
		element('p', null, 'Nothing else was told while tracing.'));
	box.replaceChildren(...parts);
	document.getElementById('footer').textContent = 'Written by memleak_dwunw_user, ' + clock(view.when) +
		'. This page is one file; it asks no network for anything.';
}

function fillSelect(id, choices, chosen) {
	const select = document.getElementById(id);
	select.replaceChildren(...choices.map(([value, text]) => element('option', {value}, text)));
	select.value = chosen;
	select.parentNode.hidden = choices.length < 2;
	return select;
}

function storedTheme(theme) {
	try { /* some browsers have no storage for files */
		if (theme)
			localStorage.setItem('memleak-theme', theme);
		return localStorage.getItem('memleak-theme') || 'auto';
	} catch (error) {
		return theme || 'auto';
	}
}

function startThemes() {
	const button = document.getElementById('theme'), themes = ['auto', 'light', 'dark'];
	const system = window.matchMedia('(prefers-color-scheme: dark)');
	let theme = storedTheme(null);
	const show = (forced) => {
		document.documentElement.dataset.theme = forced || (theme === 'auto' ? (system.matches ? 'dark' : 'light') : theme);
		button.textContent = 'Theme: ' + theme;
	};
	button.addEventListener('click', () => {
		theme = storedTheme(themes[(themes.indexOf(theme) + 1) % themes.length]);
		show();
	});
	system.addEventListener('change', () => show());
	window.addEventListener('beforeprint', () => show('light'));
	window.addEventListener('afterprint', () => show());
	show();
}

function startPage(view) {
	const byId = (id) => document.getElementById(id);
	const state = {measure: 'bytes', colour: view.before ? 'change' : 'module', inverted: false, flipped: false, found: null,
		       selected: null, selectedNodes: new Set(), sort: view.before ? 'change' : 'bytes', descending: true, fastest: 1};
	const input = byId('search'), matched = byId('matched');
	const measures = [['bytes', 'bytes'], ['blocks', 'blocks']], colours = [['module', 'by module'], ['growth', 'by growth']];
	const graph = makeGraph(view, state, {details: (node) => showDetails(view, state, node), zoom: zoomTo});
	const table = makeTable(view, state, {select, zoomStack});

	if (view.before) {
		measures.push(['before_bytes', 'bytes before'], ['moved', 'bytes changed']);
		colours.unshift(['change', 'by change']);
	}

	function drawGraph() {
		graph.draw();
		byId('undrawn').textContent = graph.undrawn ? '\u00b7 ' + exact(graph.undrawn) + ' frames too narrow to draw, with all behind them: zoom in' : '';
		byId('reset').disabled = !state.zoom.parent;
		showDetails(view, state, state.focus);
	}

	function drawAll() {
		drawGraph();
		table.draw();
	}

	const trees = new Map(); /* both are kept once they are made */

	function rebuild() {
		if (!trees.has(state.inverted))
			trees.set(state.inverted, buildTree(view, state.inverted));
		state.tree = trees.get(state.inverted);
		state.root = state.zoom = state.focus = state.tree.root;
		state.fastest = state.root.kids.reduce((most, kid) => Math.max(most, Math.abs(kid.per_minute)), 0);
		sortKids(state.root, state.measure);
		markSelected();
	}

	/* Whether a stack goes through the frame that is zoomed to. */
	state.through = (stack) => {
		if (!state.zoom.parent)
			return true;
		const path = pathOf(stack, state.inverted);
		let node = state.root;
		for (let i = 0; i < state.zoom.depth && node; i++)
			node = i < path.length ? state.tree.kids.get(keyOf(state.tree, node, view.frames[path[i]])) : null;
		return node === state.zoom;
	};

	function zoomTo(node) {
		state.zoom = state.focus = node;
		drawAll();
	}

	function markSelected() {
		state.selectedNodes = new Set(state.selected ? nodesOf(view, state.tree, state.selected) : []);
	}

	function select(stack) {
		state.selected = stack;
		markSelected();
		drawGraph();
	}

	function zoomStack(stack) {
		const nodes = nodesOf(view, state.tree, stack);
		state.zoom = state.focus = nodes[nodes.length - 1] || state.root;
		drawGraph();
		byId('graph').focus();
		byId('graph').scrollIntoView({block: 'nearest'});
	}

	function search() {
		input.removeAttribute('aria-invalid');
		try {
			state.found = findFunctions(view, input.value, byId('regexp').getAttribute('aria-pressed') === 'true');
		} catch (error) {
			state.found = null;
			input.setAttribute('aria-invalid', 'true');
			matched.textContent = 'not a regular expression';
			drawAll();
			return;
		}
		const hits = state.found ? view.stacks.filter((stack) => stackIsFound(view, state.found, stack)) : [];
		const bytes = hits.reduce((sum, stack) => sum + stack.bytes, 0);
		matched.textContent = state.found ? percent(bytes, view.bytes) + ' matched, ' + inUnits(bytes) + ', ' + exact(hits.length) + ' stacks' : '';
		drawAll();
	}

	function searchFor(text) {
		input.value = input.value === text ? '' : text;
		setPressed('regexp', false);
		search();
	}

	function setPressed(id, pressed) {
		byId(id).setAttribute('aria-pressed', String(pressed));
	}

	function press(id) {
		const pressed = byId(id).getAttribute('aria-pressed') !== 'true';
		setPressed(id, pressed);
		return pressed;
	}

	function invert() {
		const zoomed = state.zoom.parent;
		state.inverted = press('invert');
		rebuild();
		drawGraph();
		if (zoomed)
			table.draw();
	}

	function flip() {
		state.flipped = press('flip');
		drawGraph();
	}

	/* First what is searched for goes, then the zoom, frame by frame. */
	function back() {
		if (input.value) {
			input.value = '';
			search();
		} else if (state.zoom.parent) {
			zoomTo(state.zoom.parent);
		}
	}

	function globalKeys(event) {
		const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
		if (event.ctrlKey || event.metaKey || event.altKey)
			return;
		if (event.key === 'Escape') {
			back();
			if (typing)
				byId('graph').focus();
		} else if (typing && event.target === input && event.key === 'Enter') {
			byId('graph').focus();
		} else if (typing) {
			return;
		} else if (event.key === '/') {
			input.focus();
			input.select();
		} else if (event.key === 'i') {
			invert();
		} else if (event.key === 'f') {
			flip();
		} else if (event.key === '0') {
			zoomTo(state.root);
		} else {
			return;
		}
		event.preventDefault();
	}

	let later = 0;
	const soon = (work) => {
		clearTimeout(later);
		later = setTimeout(work, 120);
	};
	input.addEventListener('input', () => soon(search));
	byId('regexp').addEventListener('click', () => {
		press('regexp');
		search();
	});
	byId('invert').addEventListener('click', invert);
	byId('flip').addEventListener('click', flip);
	byId('reset').addEventListener('click', () => zoomTo(state.root));
	fillSelect('measure', measures, state.measure).addEventListener('change', (event) => {
		state.measure = event.target.value;
		sortKids(state.root, state.measure);
		drawGraph();
	});
	fillSelect('colour', colours, state.colour).addEventListener('change', (event) => {
		state.colour = event.target.value;
		showLegend(view, state, graph, searchFor);
		drawGraph();
	});
	document.addEventListener('keydown', globalKeys);
	let width = window.innerWidth;
	window.addEventListener('resize', () => {
		if (width !== window.innerWidth)
			soon(drawGraph);
		width = window.innerWidth;
	});
	showHeader(view);
	showComplete(view);
	rebuild();
	showLegend(view, state, graph, searchFor);
	drawAll();
}

startThemes();
startPage(decodeView(JSON.parse(document.getElementById('data').textContent)));
