/* Stacks merged by function into a tree, and what of it a search finds. */

const SUMS = ['bytes', 'blocks', 'before_bytes', 'before_blocks', 'per_minute'];

function makeNode(parent, frame) {
	const node = {parent, kids: [], byKey: new Map(), lines: new Map(), depth: parent ? parent.depth + 1 : 0,
		      fn: frame ? frame.fn : -1, inlined: frame ? frame.inlined : false, byFramePointer: false,
		      moved: 0, stacks: 0, oldest_ms: 0};
	for (const sum of SUMS)
		node[sum] = 0;
	if (parent)
		parent.kids.push(node);
	return node;
}

function addTo(node, stack) {
	for (const sum of SUMS)
		node[sum] += stack[sum];
	node.moved += Math.abs(stack.change);
	node.oldest_ms = Math.max(node.oldest_ms, stack.oldest_ms);
	node.stacks++;
}

/* What tells nodes of one parent apart. */
const keyOf = (frame) => 2 * frame.fn + (frame.inlined ? 1 : 0);

/* Frames in the order of the graph's rows. */
const pathOf = (stack, inverted) => inverted ? stack.path.slice().reverse() : stack.path;

/* The root stands for all stacks. Of a recursion each frame has a node. */
function buildTree(view, inverted) {
	const root = makeNode(null, null);
	for (const stack of view.stacks) {
		let node = root;
		addTo(root, stack);
		for (const number of pathOf(stack, inverted)) {
			const frame = view.frames[number], key = keyOf(frame);
			let kid = node.byKey.get(key);
			if (!kid) {
				kid = makeNode(node, frame);
				node.byKey.set(key, kid);
			}
			addTo(kid, stack);
			kid.byFramePointer = kid.byFramePointer || frame.byFramePointer;
			kid.lines.set(number, (kid.lines.get(number) || 0) + stack.bytes);
			node = kid;
		}
	}
	return root;
}

/* The nodes that a stack goes through, without the root. */
function nodesOf(view, root, stack, inverted) {
	const nodes = [];
	let node = root;
	for (const number of pathOf(stack, inverted)) {
		node = node.byKey.get(keyOf(view.frames[number]));
		nodes.push(node);
	}
	return nodes;
}

const isUnder = (node, above) => {
	while (node && node !== above)
		node = node.parent;
	return node === above;
};

function sortKids(root, measure) {
	const open = [root];
	while (open.length) {
		const node = open.pop();
		node.kids.sort((a, b) => b[measure] - a[measure] || a.fn - b.fn);
		for (const kid of node.kids)
			open.push(kid);
	}
}

/* text: null: nothing is searched for; else which functions are found. Throws a SyntaxError. */
function findFunctions(view, text, isRegexp) {
	if (!text)
		return null;
	const regexp = isRegexp ? new RegExp(text, 'i') : null, low = text.toLowerCase();
	const has = (where) => regexp ? regexp.test(where) : where.toLowerCase().includes(low);
	const modules = view.modules.map((module) => has(module.path));
	return view.functions.map((fn) => has(fn.name) || (fn.file !== '' && has(fn.file)) || (fn.module >= 0 && modules[fn.module]));
}

const stackIsFound = (view, found, stack) => !found || stack.path.some((number) => found[view.frames[number].fn]);

/* Modules by what goes through them, most first: the first ones get colours of their own. */
function rankModules(view) {
	const weights = view.modules.map(() => 0);
	for (const stack of view.stacks) {
		const seen = new Set(stack.path.map((number) => view.functions[view.frames[number].fn].module));
		for (const module of seen)
			if (module >= 0)
				weights[module] += stack.bytes;
	}
	const byPath = new Map(); /* mapped in several places: one colour */
	view.modules.forEach((module, i) => byPath.set(module.path, (byPath.get(module.path) || 0) + weights[i]));
	return Array.from(byPath.keys()).sort((a, b) => byPath.get(b) - byPath.get(a));
}
