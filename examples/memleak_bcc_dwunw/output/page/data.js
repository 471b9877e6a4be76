/* The data of the page (output/html_stacks.h), and how numbers and names are written. */

/* A column of n numbers: see script_column(). */
function decodeColumn(column, n) {
	const numbers = new Array(n);
	if (typeof column === 'number')
		return numbers.fill(column);
	let last = 0, at = 0;
	for (let i = 0; i < n; i++) {
		let value = 0, unit = 1, digit;
		do {
			digit = digitOf(column.charCodeAt(at++));
			value += (digit & 31) * unit;
			unit *= 32;
		} while (digit & 32);
		last += value % 2 ? -(value + 1) / 2 : value / 2;
		numbers[i] = last;
	}
	return numbers;
}

/* Of base64url; the page's own writer makes no other characters. */
function digitOf(code) {
	if (code >= 97)
		return code - 71;
	if (code >= 65)
		return code === 95 ? 63 : code - 65;
	return code === 45 ? 62 : code + 4;
}

function decodeFunctions(raw) {
	const n = raw.functions.length;
	const modules = decodeColumn(raw.function_module, n), files = decodeColumn(raw.function_file, n);
	return raw.functions.map((name, i) => {
		const unnamed = Array.isArray(name);
		const text = visible(unnamed ? name[0] : name);
		return {
			name: text,
			label: unnamed ? text.replace(/^\[.*(?=\+0x)/, '[') : shortName(text),
			pc: unnamed ? name[1] : '',
			module: modules[i] - 1,
			file: files[i] ? visible(raw.files[files[i] - 1]) : '',
		};
	});
}

function decodeFrames(raw) {
	const n = raw.frame_flags.length;
	const functions = decodeColumn(raw.frame_function, n), at = decodeColumn(raw.frame_at, n);
	return functions.map((fn, i) => ({
		fn,
		line: at[i] > 0 ? at[i] : 0,
		offset: at[i] < 0 ? -at[i] : 0,
		inlined: (raw.frame_flags.charCodeAt(i) & 1) !== 0,
		byFramePointer: (raw.frame_flags.charCodeAt(i) & 2) !== 0,
	}));
}

function decodeStacks(raw) {
	const n = raw.history.length;
	const shared = decodeColumn(raw.shared, n), own = decodeColumn(raw.own, n);
	const frames = decodeColumn(raw.frames, own.reduce((sum, count) => sum + count, 0));
	const columns = {};
	for (const name of Object.keys(raw.columns))
		columns[name] = decodeColumn(raw.columns[name], n);
	let last = [], next = 0;
	const stacks = raw.history.map((history, i) => {
		const stack = {};
		for (const name of Object.keys(columns))
			stack[name] = columns[name][i];
		stack.path = last.slice(0, shared[i]).concat(frames.slice(next, next + own[i]));
		next += own[i];
		last = stack.path;
		stack.comm = stack.comm < 0 ? '' : visible(raw.texts[stack.comm]);
		stack.stop = stack.stop ? visible(raw.texts[stack.stop - 1]) : '';
		stack.oldest_ms = 100 * stack.oldest;
		stack.median_ms = 100 * stack.median;
		stack.change = stack.bytes - stack.before_bytes;
		stack.history = decodeHistory(history, Math.ceil(stack.reports / raw.history_step));
		return stack;
	});
	return stacks.sort((a, b) => a.rank - b.rank);
}

function decodeHistory(digits, n) {
	return Array.from({length: n}, (_, i) => digitOf(digits.charCodeAt(digits.length === 1 ? 0 : i)));
}

/* Bytes a minute of all stacks together, with those that have gone since. */
function growthOf(raw) {
	const [since, from] = raw.reports.length > 1 ? raw.reports[0] : [0, 0];
	return raw.elapsed_ms > since ? Math.round((raw.bytes - from) * 60000 / (raw.elapsed_ms - since)) : 0;
}

function decodeView(raw) {
	const view = Object.assign({}, raw);
	view.functions = decodeFunctions(raw);
	view.frames = decodeFrames(raw);
	view.stacks = decodeStacks(raw);
	view.most = view.stacks.reduce((most, stack) => Math.max(most, stack.bytes), 1);
	view.modules = raw.modules.map(([path, buildId]) => ({
		path: visible(path),
		name: visible(path).replace(/^.*\//, '') || visible(path),
		buildId: buildId || '',
	}));
	if (raw.walk === 'kernel') { /* what is in no module of the kernel is in the kernel itself */
		const own = view.modules.push({path: 'kernel', name: 'kernel', buildId: ''}) - 1;
		for (const fn of view.functions)
			fn.module = fn.module < 0 ? own : fn.module;
	}
	view.per_minute = growthOf(raw);
	view.processes = raw.processes.map(([pid, comm]) => ({pid, comm: visible(comm || '')}));
	view.points = Math.ceil(raw.reports.length / raw.history_step);
	return view;
}

/* Characters that cannot be seen, or that move others about, as their code; control characters are written so already. */
function visible(text) {
	return text.replace(/[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, (c) =>
		'\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
}

/* Without what stands in template arguments and parameters. */
function shortName(name) {
	let text = '', depth = 0;
	for (let i = 0; i < name.length; i++) {
		const c = name[i];
		if (c === '<' && i > 0 && !/operator<?$/.test(name.slice(Math.max(0, i - 9), i)))
			text += depth++ ? '' : '<\u2026>';
		else if (c === '>' && depth > 0 && name[i - 1] !== '-')
			depth--;
		else if (!depth)
			text += c;
	}
	if (depth)
		text = name; /* not what it seemed */
	return withoutParameters(text);
}

function withoutParameters(name) {
	const tail = name.match(/\)( const)?( \[[^\]]*\])?$/);
	if (!tail || tail.index < 2)
		return name;
	let depth = 0, i = tail.index;
	for (; i > 0; i--) {
		if (name[i] === ')')
			depth++;
		else if (name[i] === '(' && !--depth)
			break;
	}
	return i > 0 && name[i - 1] !== ':' ? name.slice(0, i) + '()' : name;
}

const exact = (number) => Math.round(number).toString().replace(/\B(?=(\d{3})+$)/g, ',');

function inUnits(bytes) {
	const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
	const sign = bytes < 0 ? '\u2212' : '';
	let value = Math.abs(bytes), unit = 0;
	while (value >= 1024 && unit < units.length - 1) {
		value /= 1024;
		unit++;
	}
	return sign + (unit ? value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0) : exact(value)) + ' ' + units[unit];
}

const signed = (number, text) => (number > 0 ? '+' : '') + text;
const signedBytes = (bytes) => signed(bytes, inUnits(bytes));
const signedExact = (number) => signed(number, exact(number).replace('-', '\u2212'));

function percent(part, whole) {
	if (!whole)
		return '0 %';
	const value = 100 * part / whole;
	return (value && Math.abs(value) < 0.1 ? (value < 0 ? '>\u2212' : '<') + '0.1' : value.toFixed(1)).replace(/^-/, '\u2212') + ' %';
}

function duration(ms) {
	const s = ms / 1000;
	if (s < 1)
		return Math.round(ms) + ' ms';
	if (s < 100)
		return s.toFixed(1) + ' s';
	if (s < 6000)
		return Math.floor(s / 60) + ' min ' + Math.floor(s % 60) + ' s';
	if (s < 172800)
		return Math.floor(s / 3600) + ' h ' + Math.floor(s % 3600 / 60) + ' min';
	return Math.floor(s / 86400) + ' d ' + Math.floor(s % 86400 / 3600) + ' h';
}

function clock(seconds) {
	const when = new Date(seconds * 1000), two = (n) => String(n).padStart(2, '0');
	return when.getFullYear() + '-' + two(when.getMonth() + 1) + '-' + two(when.getDate()) + ' ' +
		two(when.getHours()) + ':' + two(when.getMinutes()) + ':' + two(when.getSeconds());
}

/* An element with text and children: names come into the page by this alone, as text. */
function element(tag, attributes, ...children) {
	const made = document.createElement(tag);
	for (const name of Object.keys(attributes || {}))
		made.setAttribute(name, attributes[name]);
	made.append(...children);
	return made;
}
