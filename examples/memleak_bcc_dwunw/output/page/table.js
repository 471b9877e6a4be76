/* The table of stacks. */

const FIRST_ROWS = 50, MORE_ROWS = 200;

/* The columns of this view: what they sort by, and what a cell shows. */
function columnsOf(view) {
	const about = view.estimated ? '\u2248 ' : '';
	const columns = [
		{id: 'bytes', title: 'Bytes', cell: (s) => bytesCell(view, s, about)},
		{id: 'blocks', title: 'Blocks', cell: (s) => [about + exact(s.blocks)]},
	];
	if (!view.no_ages)
		columns.push({id: 'oldest_ms', title: 'Oldest', cell: (s) => [duration(s.oldest_ms)]});
	columns.push({id: 'per_minute', title: 'Growth/min', cell: (s) => [signedBytes(s.per_minute)]});
	if (view.points > 1)
		columns.push({id: 'growth_bytes', title: 'Trend', hint: 'Bytes over the last ' + view.reports.length +
			' reports; sorted by the growth since the report before', cell: (s) => [trendOf(view, s)]});
	if (view.before) {
		columns.push({id: 'before_bytes', title: 'Before', cell: (s) => [inUnits(s.before_bytes)]});
		columns.push({id: 'change', title: 'Change', cell: changeCell});
	}
	columns.push({id: 'stack', title: 'Stack', text: true, cell: (s) => [stackButton(view, s)]});
	return columns;
}

function bytesCell(view, stack, about) {
	const bar = element('i', {class: 'part', 'aria-hidden': 'true'});
	bar.style.width = Math.min(100, 100 * stack.bytes / view.most).toFixed(2) + '%';
	return [element('b', null, about + inUnits(stack.bytes)), ' ', element('small', null, exact(stack.bytes)), bar];
}

function changeCell(stack) {
	const kind = stack.change > 0 ? 'up' : stack.change < 0 ? 'down' : 'even';
	const mark = {up: '\u25b2 ', down: '\u25bc ', even: ''}[kind];
	return [element('span', {class: kind}, mark + signedBytes(stack.change)), ' ',
		element('small', null, signedExact(stack.change))];
}

/* Levels of 0 to 63 as a line that ends at its right, of a width for `points` of them. */
function trendLine(levels, points, label) {
	const space = 'http://www.w3.org/2000/svg', width = 84, height = 22, n = levels.length;
	const svg = document.createElementNS(space, 'svg'), line = document.createElementNS(space, 'polyline');
	const step = (width - 4) / Math.max(points - 1, 1);
	const y = (level) => (height - 3 - level * (height - 6) / 63).toFixed(1);
	const places = levels.map((level, i) => (2 + (points - n + i) * step).toFixed(1) + ',' + y(level));
	if (n && n < points) /* it held nothing before */
		places.unshift((2 + (points - n - 1) * step).toFixed(1) + ',' + y(0));
	svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
	svg.setAttribute('class', 'trend');
	svg.setAttribute('role', 'img');
	svg.setAttribute('aria-label', label);
	line.setAttribute('points', places.join(' '));
	svg.append(line);
	if (n) {
		const end = document.createElementNS(space, 'circle'), [right, last] = places[places.length - 1].split(',');
		end.setAttribute('cx', right);
		end.setAttribute('cy', last);
		end.setAttribute('r', 2);
		svg.append(end);
	}
	return svg;
}

const trendOf = (view, stack) => trendLine(stack.history, view.points,
	'at ' + stack.reports + ' reports; since the one before ' + signedBytes(stack.growth_bytes));

/* The innermost functions on one line; it unfolds the stack. */
function stackButton(view, stack) {
	const names = stack.path.slice(-4).reverse().map((number) => view.functions[view.frames[number].fn].label);
	const text = names.length ? names.join(' \u2190 ') : 'no frames';
	const button = element('button', {type: 'button', class: 'fold', 'aria-expanded': 'false'}, text);
	if (stack.stop)
		button.append(' ', element('span', {class: 'tag'}, 'incomplete'));
	return button;
}

function frameLine(view, number) {
	const frame = view.frames[number], fn = view.functions[frame.fn];
	const item = element('li', null, element('span', {class: 'name'}, fn.name));
	if (placeOf(fn, frame))
		item.append(' ', element('span', {class: 'place'}, placeOf(fn, frame)));
	if (fn.module >= 0)
		item.append(' ', element('span', {class: 'of', title: view.modules[fn.module].path}, '[' + view.modules[fn.module].name + ']'));
	if (frame.inlined)
		item.append(' ', element('span', {class: 'tag'}, 'inlined'));
	if (frame.byFramePointer)
		item.append(' ', element('span', {class: 'tag'}, 'left by frame pointer'));
	return item;
}

function unfolded(view, stack, onZoom) {
	const box = element('div', {class: 'unfolded'}), facts = [];
	const zoom = element('button', {type: 'button'}, 'Zoom the graph to this stack');
	if (stack.pid)
		facts.push('pid ' + stack.pid);
	if (stack.tid)
		facts.push('thread ' + stack.tid);
	if (stack.comm)
		facts.push(stack.comm);
	facts.push(percent(stack.bytes, view.bytes) + ' of all', signedBytes(stack.growth_bytes) + ' since the report before');
	if (stack.median_ms)
		facts.push('half of the blocks older than ' + duration(stack.median_ms));
	if (stack.sampled)
		facts.push('estimated from ' + exact(stack.sampled) + ' blocks');
	if (view.before)
		facts.push('blocks ' + exact(stack.before_blocks) + ' \u2192 ' + exact(stack.blocks));
	zoom.addEventListener('click', () => onZoom(stack));
	box.append(element('p', null, facts.join(' \u00b7 '), ' ', zoom));
	if (stack.stop)
		box.append(element('p', {class: 'stop'}, 'The stack ends before its root: ' + stack.stop));
	box.append(element('ol', {start: 0}, ...stack.path.slice().reverse().map((number) => frameLine(view, number))));
	return box;
}

function makeTable(view, state, onChange) {
	const table = document.getElementById('table'), columns = columnsOf(view);
	const head = table.tHead, body = table.tBodies[0], shownText = document.getElementById('shown');
	const more = document.getElementById('more'), all = document.getElementById('all');
	const made = new Map();
	let rows = FIRST_ROWS;

	table.prepend(element('colgroup', null, ...columns.map((column) => element('col', {class: column.id}))));

	function sortBy(column) {
		state.descending = state.sort === column.id ? !state.descending : !column.text;
		state.sort = column.id;
		drawTable();
	}

	function drawHead() {
		const row = element('tr');
		for (const column of columns) {
			const current = state.sort === column.id;
			const button = element('button', {type: 'button', title: column.hint || 'Sort by this'}, column.title);
			const cell = element('th', {scope: 'col', class: column.text ? 'text' : column.id,
						    'aria-sort': !current ? 'none' : state.descending ? 'descending' : 'ascending'}, button);
			button.dataset.column = column.id;
			button.addEventListener('click', () => sortBy(column));
			row.append(cell);
		}
		const focused = head.contains(document.activeElement) ? document.activeElement.dataset.column : null;
		head.replaceChildren(row);
		if (focused)
			head.querySelector('[data-column="' + focused + '"]').focus();
	}

	function makeRow(stack) {
		const row = element('tr', {class: 'stack'});
		for (const column of columns)
			row.append(element('td', {class: column.text ? 'text' : column.id}, ...column.cell(stack)));
		row.addEventListener('click', () => toggle(stack));
		return {row, frames: null};
	}

	/* Rows are made once: one that is unfolded stays so, whatever is sorted or searched for. */
	function rowsOf(stack) {
		if (!made.has(stack))
			made.set(stack, makeRow(stack));
		const {row, frames} = made.get(stack);
		return frames ? [row, frames] : [row];
	}

	function toggle(stack) {
		const pair = made.get(stack), open = pair.frames !== null;
		pair.row.querySelector('.fold').setAttribute('aria-expanded', String(!open));
		if (open) {
			pair.frames.remove();
			pair.frames = null;
		} else {
			const cell = element('td', {colspan: columns.length}, unfolded(view, stack, onChange.zoomStack));
			pair.frames = element('tr', {class: 'more'}, cell);
			pair.row.after(pair.frames);
		}
		if (state.selected && made.has(state.selected))
			made.get(state.selected).row.classList.remove('selected');
		pair.row.classList.toggle('selected', !open);
		onChange.select(open ? null : stack);
	}

	function textKey(stack) {
		return stack.path.slice(-4).reverse().map((number) => view.functions[view.frames[number].fn].label).join(' ');
	}

	function sorted(stacks) {
		const sign = state.descending ? -1 : 1, by = state.sort;
		const keys = by === 'stack' ? new Map(stacks.map((stack) => [stack, textKey(stack)])) : null;
		return stacks.sort((a, b) => {
			const one = keys ? keys.get(a) : a[by], other = keys ? keys.get(b) : b[by];
			return (one < other ? -sign : one > other ? sign : 0) || a.rank - b.rank;
		});
	}

	function drawTable() {
		const chosen = view.stacks.filter((stack) => stackIsFound(view, state.found, stack) && state.through(stack));
		const bytes = chosen.reduce((sum, stack) => sum + stack.bytes, 0), rest = Math.max(0, chosen.length - rows);
		drawHead();
		const fragment = document.createDocumentFragment();
		for (const stack of sorted(chosen).slice(0, rows))
			fragment.append(...rowsOf(stack));
		body.replaceChildren(fragment);
		shownText.textContent = exact(chosen.length) + ' of ' + exact(view.stacks.length) + ' stacks, ' + inUnits(bytes) +
			(state.zoom.parent ? ', through the frame zoomed to' : '');
		more.hidden = all.hidden = !rest;
		more.textContent = 'Show ' + exact(Math.min(MORE_ROWS, rest)) + ' more';
		all.textContent = 'Show all ' + exact(chosen.length);
	}

	function showMore(count) {
		rows += count;
		drawTable();
	}

	body.addEventListener('keydown', (event) => {
		const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
		if (!step || !event.target.classList.contains('fold'))
			return;
		const folds = Array.from(body.querySelectorAll('.fold')), next = folds[folds.indexOf(event.target) + step];
		event.preventDefault();
		if (next)
			next.focus();
	});
	more.addEventListener('click', () => showMore(MORE_ROWS));
	all.addEventListener('click', () => showMore(view.stacks.length));
	return {draw: drawTable};
}
