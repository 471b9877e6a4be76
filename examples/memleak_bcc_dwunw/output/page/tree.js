/* Stacks merged by function into a tree, and what of it a search finds. */

function makeNode(id, parent, number, frame) {
	const node = {id, parent, kids: [], depth: parent ? parent.depth + 1 : 0, fn: frame ? frame.fn : -1,
		      inlined: frame ? frame.inlined : false, byFramePointer: false, number, lines: null,
		      bytes: 0, blocks: 0, before_bytes: 0, before_blocks: 0, per_minute: 0, moved: 0, stacks: 0, oldest_ms: 0};
	if (parent)
		parent.kids.push(node);
	return node;
}

function addTo(node, stack) {
	node.bytes += stack.bytes;
	node.blocks += stack.blocks;
	node.before_bytes += stack.before_bytes;
	node.before_blocks += stack.before_blocks;
	node.per_minute += stack.per_minute;
	node.moved += Math.abs(stack.change);
	node.oldest_ms = Math.max(node.oldest_ms, stack.oldest_ms);
	node.stacks++;
}

/* The bytes of each place in the function; most nodes have one place. */
function addLine(node, number, bytes) {
	if (!node.lines && node.number === number)
		return;
	node.lines = node.lines || new Map([[node.number, node.bytes]]);
	node.lines.set(number, (node.lines.get(number) || 0) + bytes);
}

const linesOf = (node) => node.lines || new Map([[node.number, node.bytes]]);

/* Frames in the order of the graph's rows. */
const pathOf = (stack, inverted) => inverted ? stack.path.slice().reverse() : stack.path;

/* The root stands for all stacks. Of a recursion each frame has a node. */
function buildTree(view, inverted) {
	const root = makeNode(0, null, -1, null), tree = {root, inverted, kids: new Map(), span: 2 * view.functions.length};
	for (const stack of view.stacks) {
		let node = root;
		addTo(root, stack);
		for (const number of pathOf(stack, inverted)) {
			const frame = view.frames[number], key = keyOf(tree, node, frame);
			let kid = tree.kids.get(key);
			if (!kid) {
				kid = makeNode(tree.kids.size + 1, node, number, frame);
				tree.kids.set(key, kid);
			}
			addLine(kid, number, stack.bytes);
			addTo(kid, stack);
			kid.byFramePointer = kid.byFramePointer || frame.byFramePointer;
			node = kid;
		}
	}
	root.per_minute = view.per_minute;
	return tree;
}

/* What tells the nodes of a tree apart: the function, and whether it is inlined. */
const keyOf = (tree, parent, frame) => parent.id * tree.span + 2 * frame.fn + (frame.inlined ? 1 : 0);

/* The nodes that a stack goes through, without the root. */
function nodesOf(view, tree, stack) {
	const nodes = [];
	let node = tree.root;
	for (const number of pathOf(stack, tree.inverted)) {
		node = tree.kids.get(keyOf(tree, node, view.frames[number]));
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
