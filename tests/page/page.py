# SPDX-License-Identifier: BSD-2-Clause
"""
page.py WORK PICTURES: WORK has plain.html, compared.html, hostile.html and what they were made of (*.truth, make_page.c).

Proves, in headless Chromium: what the page decodes and adds up is the truth, counted here once more; zoom, search, sort, invert, the
comparison, unfolding and the keyboard do what they say; hostile names are text; the console stays empty, no request leaves
the page and none can; light, dark, a phone and paper have it all. Times are printed, not judged.
"""

import json
import re
import sys
import time

from webdriver import Browser, CountingProxy

passed = failed = 0


def check(what, holds, *shown):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print("FAIL", what, *[repr(one)[:600] for one in shown])


def same(what, found, wanted):
    check(what, found == wanted, "found:", found, "wanted:", wanted)


def wait(browser, script, seconds=5):
    end = time.time() + seconds
    while not browser.run("return Boolean(" + script + ")"):
        if time.time() > end:
            return False
        time.sleep(0.05)
    return True


class Truth:
    def __init__(self, path):
        with open(path, encoding="utf-8", newline="\n") as lines:
            rows = [json.loads(line) for line in lines if line != "\n"]
        self.stacks = [{"bytes": row[0], "blocks": row[1], "before": row[2], "names": row[3:]} for row in rows]
        self.bytes = sum(stack["bytes"] for stack in self.stacks)

    def with_name(self, matches):
        return [stack for stack in self.stacks if any(name is not None and matches(name) for name in stack["names"])]


# The page's functions are global; its data is decoded once more, apart from what is shown.
DECODE = "const view = decodeView(JSON.parse(document.getElementById('data').textContent));"
CURRENT = "const current = document.querySelector('.frame.current').frameNode;"
LEVEL = CURRENT + "return current.depth"
ROWS = "return Array.from(document.querySelectorAll('#table tbody tr.stack'), (row) => row.querySelector('%s').textContent)"


def percent(text):
    return float(re.match(r"([0-9.]+) %", text).group(1))


def number(text):
    return int(re.sub("[^0-9-]", "", text.replace("\u2212", "-")))


def test_data(browser, truth):
    found = browser.run(DECODE + """return view.stacks.map((stack) => [stack.bytes, stack.blocks, stack.before_bytes].concat(
        stack.path.map((number) => { const fn = view.functions[view.frames[number].fn]; return fn.pc ? null : fn.name; })))""")
    wanted = [[stack["bytes"], stack["blocks"], stack["before"]] + stack["names"] for stack in truth.stacks]
    same("all stacks are decoded", found, wanted)
    same("the total", number(browser.text("#tiles .tile small")), truth.bytes)


def test_zoom(browser, truth):
    wide = "document.querySelector('.frame:not(.above)').frameNode"
    whole = browser.run(f"return {wide}.bytes")
    same("the first frame is everything", whole, truth.bytes)
    # a frame that is not everything, by the mouse
    identity = browser.run("""return Array.from(document.querySelectorAll('.frame')).find((f) => f.frameNode.bytes < arguments[0]
        && f.offsetWidth > 100).id""", truth.bytes)
    node = browser.run("const n = document.getElementById(arguments[0]).frameNode; return [n.fn, n.depth, n.bytes]", identity)
    browser.click("#" + identity)
    same("a click zooms", browser.run(f"const n = {wide}; return [n.fn, n.depth, n.bytes]"), node)
    check("it is as wide as the graph", browser.run("""return Math.abs(document.querySelector('.frame:not(.above)').offsetWidth -
        document.getElementById('frames').offsetWidth) < 2"""))
    same("its callers stay", browser.run("return document.querySelectorAll('.frame.above').length"), node[1])
    shown = re.match(r"([\d,]+) of ([\d,]+) stacks", browser.text("#shown"))
    same("the table has the stacks through it", number(shown.group(1)),
         browser.run(f"return {wide}.stacks"))
    check("which are fewer", number(shown.group(1)) < len(truth.stacks), shown.group(0))
    browser.click("#reset")
    same("reset", browser.run(f"return {wide}.bytes"), truth.bytes)
    check("nothing to reset", browser.run("return document.getElementById('reset').disabled"))


def test_keys(browser, truth):
    browser.run("document.getElementById('graph').focus()")
    browser.keys("Home")
    same("Home", browser.run(LEVEL), 0)
    browser.keys(*["Down"] * 7)
    same("seven down", browser.run(LEVEL), 7)
    first = browser.run(CURRENT + "return current.bytes")
    browser.keys("Right")
    same("right: the same row", browser.run(LEVEL), 7)
    second = browser.run(CURRENT + "return current.bytes")
    check("the widest is first", first >= second, first, second)
    same("details of the current frame", browser.run(CURRENT + """return document.querySelector('#details small').textContent
        === exact(current.bytes)"""), True)
    check("it is announced", browser.run("""return document.getElementById(document.getElementById('graph')
        .getAttribute('aria-activedescendant')).getAttribute('aria-label').includes(' blocks, ')"""))
    browser.keys("Enter")
    same("Enter zooms", browser.run("return document.querySelector('.frame:not(.above)').frameNode.bytes"), second)
    browser.keys("Escape")
    same("Escape goes one frame back", browser.run("return document.querySelectorAll('.frame.above').length"), 6)
    browser.keys("0")
    same("0 resets", browser.run("return document.querySelectorAll('.frame.above').length"), 0)
    browser.keys("/")
    same("/ searches", browser.run("return document.activeElement.id"), "search")
    browser.keys("find_index")
    check("what is typed is searched for", wait(browser, "document.getElementById('matched').textContent.includes('matched')"))
    browser.keys("Enter")
    same("Enter leaves the search", browser.run("return document.activeElement.id"), "graph")
    browser.keys("Escape")
    same("Escape ends it", browser.run("return [document.getElementById('search').value, "
                                       "document.querySelectorAll('.found, .unfound').length]"), ["", 0])
    top = "return document.querySelector('.frame:not(.above)').offsetTop"
    above = browser.run(top)
    browser.keys("f")
    check("f flips", browser.run(top) > above)
    browser.keys("Home", "Up")
    same("then up is deeper", browser.run(LEVEL), 1)
    browser.keys("f")
    same("and back", browser.run(top), above)
    browser.run("document.querySelector('.fold').focus()")
    browser.keys("Down", "Enter")
    same("the second stack unfolds", browser.run("""return Array.from(document.querySelectorAll('.fold')).findIndex(
        (fold) => fold.getAttribute('aria-expanded') === 'true')"""), 1)
    browser.keys("Enter")
    same("and folds", browser.run("return document.querySelectorAll('tr.more').length"), 0)
    order = []
    browser.run("document.getElementById('theme').focus()")
    while len(order) < 30 and order[-1:] != ["graph"]:
        browser.keys("Tab")
        order.append(browser.run("return document.activeElement.id || document.activeElement.className"))
    same("tab order", [name for name in order if name != "chip"],
         ["search", "regexp", "measure", "colour", "invert", "flip", "graph"])


def search(browser, text):
    browser.run("""const input = document.getElementById('search'); input.value = arguments[0];
        document.getElementById('matched').textContent = ''; input.dispatchEvent(new Event('input'))""", text)
    wait(browser, "document.getElementById('matched').textContent")
    return browser.text("#matched")


def judge_search(browser, truth, what, told, hits):
    share = 100 * sum(stack["bytes"] for stack in hits) / truth.bytes
    check(what + ": the percentage", abs(percent(told) - share) < 0.051, told, share)
    same(what + ": the stacks", number(told.split(",", 2)[2]), len(hits))
    same(what + ": the table", number(browser.text("#shown").split(" of ")[0]), len(hits))


def test_search(browser, truth):
    told = search(browser, "Merge_Token_")
    judge_search(browser, truth, "text", told, truth.with_name(lambda name: "merge_token_" in name))
    check("found frames are marked", browser.run("""return Array.from(document.querySelectorAll('.frame.found')).every(
        (frame) => frame.textContent === '' || frame.textContent.includes('merge_token'))
        && document.querySelectorAll('.frame.found').length > 0"""))
    browser.click("#regexp")
    told = search(browser, "^(find|open)_[a-m].*_[0-9]{2}$")
    expression = re.compile("^(find|open)_[a-m].*_[0-9]{2}$")
    judge_search(browser, truth, "regexp", told, truth.with_name(expression.search))
    told = search(browser, "(")
    check("a broken regexp is said", "not a regular expression" in told, told)
    browser.click("#regexp")
    told = search(browser, "auth.so")
    check("modules are searched", percent(told) > 0, told)
    told = search(browser, "no such thing")
    same("nothing", told, "0.0 % matched, 0 B, 0 stacks")
    browser.run("document.getElementById('graph').focus()")
    browser.keys("Escape")


def test_sort(browser, truth):
    browser.click("#all")
    for column, title, key in (("bytes", "bytes", "bytes"), ("blocks", "blocks", "blocks")):
        wanted = sorted((stack[key] for stack in truth.stacks), reverse=True)
        for click in range(3):
            cell = "td.bytes small" if column == "bytes" else "td.blocks"
            state = browser.run("return document.querySelector('th.' + arguments[0]).getAttribute('aria-sort')", column)
            if state != "none":
                found = [number(text) for text in browser.run(ROWS % cell)]
                same(f"sorted by {title}, {state}", found, wanted if state == "descending" else wanted[::-1])
            browser.click(f"th.{column} button")
    browser.click("th.oldest_ms button")
    ages = browser.run(DECODE + """const by = new Map(view.stacks.map((stack) => [exact(stack.bytes), stack.oldest_ms]));
        return Array.from(document.querySelectorAll('#table tbody tr.stack')).slice(0, 2).map((row) =>
        by.get(row.querySelector('td.bytes small').textContent))""")
    check("sorted by age", ages[0] >= ages[1] > 0, ages)
    browser.click("th.text button")
    names = browser.run(ROWS % ".fold")
    check("sorted by name", names[:20] == sorted(names[:20]), names[:3])
    browser.click("th.bytes button")
    drawn = browser.run("""return Array.from(document.querySelectorAll('#table svg.trend polyline')).every(
        (line) => line.getAttribute('points').split(' ').every((point) => /^[0-9.]+,[0-9.]+$/.test(point)))""")
    check("every stack has its line", drawn and browser.run("return document.querySelectorAll('#table svg.trend').length") ==
          len(truth.stacks))


def test_invert(browser, truth):
    browser.click("#invert")
    leaves = {}
    for stack in truth.stacks:
        if stack["names"] and stack["names"][-1] is not None:
            leaves[stack["names"][-1]] = leaves.get(stack["names"][-1], 0) + stack["bytes"]
    found = browser.run(DECODE + """const root = document.querySelector('.frame').frameNode, sums = {};
        for (const kid of root.kids) { const fn = view.functions[kid.fn];
            if (!fn.pc) sums[fn.name] = (sums[fn.name] || 0) + kid.bytes; }
        return sums""")
    same("inverted: bytes by allocating function", found, leaves)
    browser.click("#invert")
    same("and back", browser.run("return document.querySelector('.frame').frameNode.kids.length"), 1)


def test_unfold(browser, truth):
    most = max(truth.stacks, key=lambda stack: stack["bytes"])
    browser.click("tr.stack td.bytes")
    names = browser.run("return Array.from(document.querySelectorAll('tr.more li .name'), (name) => name.textContent)")
    wanted = most["names"][::-1]
    same("unfolded: the frames", [name if name[0] != "[" else None for name in names], wanted)
    same("its frames are marked in the graph", browser.run("""return Array.from(document.querySelectorAll('.frame.selected'),
        (f) => f.frameNode.depth).sort((a, b) => a - b)"""), list(range(1, len(wanted) + 1)))
    check("lines are shown", browser.run("return /part_\\d+\\.cc:\\d+/.test(document.querySelector('tr.more').textContent)"))
    browser.click("tr.more button")
    same("zoom to the stack", browser.run("return document.querySelectorAll('.frame.above').length"), len(wanted))
    browser.click("#reset")
    same("it stays unfolded", browser.run("return document.querySelectorAll('tr.more').length"), 1)
    browser.click("tr.stack td.bytes")
    same("folded", browser.run("return document.querySelectorAll('tr.more, .frame.selected').length"), 0)


def test_sizes(browser, truth):
    browser.run("const s = document.getElementById('measure'); s.value = 'blocks'; s.dispatchEvent(new Event('change'))")
    widths = browser.run("""const kids = Array.from(document.querySelectorAll('.frame')).filter((f) => f.frameNode.depth === 7);
        const whole = document.getElementById('frames').offsetWidth, all = document.querySelector('.frame').frameNode.blocks;
        return kids.every((f) => Math.abs(parseFloat(f.style.width) - 100 * f.frameNode.blocks / all) < 0.01)""")
    check("by blocks: widths are shares", widths)
    browser.run("const s = document.getElementById('measure'); s.value = 'bytes'; s.dispatchEvent(new Event('change'))")
    browser.run("const s = document.getElementById('colour'); s.value = 'growth'; s.dispatchEvent(new Event('change'))")
    check("by growth", browser.run("return document.querySelectorAll('.frame.grown').length > 0"))
    browser.run("const s = document.getElementById('colour'); s.value = 'module'; s.dispatchEvent(new Event('change'))")


def test_quiet(browser, proxy, what):
    same(what + ": the console is empty", browser.log(), [])
    same(what + ": nothing was loaded", browser.run("""return performance.getEntriesByType('resource').filter(
        (entry) => !entry.name.startsWith('data:')).map((entry) => entry.name)"""), [])
    same(what + ": nothing but itself was asked for", [url for url in browser.requested() if not url.endswith(f"/{what}.html")], [])
    same(what + ": nothing reached the network", proxy.asked, [])


def test_closed(browser, proxy):
    """The policy of the page, not its good will: the same request from a page without it reaches the proxy."""
    told = browser.run("""const told = []; document.addEventListener('securitypolicyviolation', (event) => told.push(event.violatedDirective));
        window.told = told; fetch('http://192.0.2.1/fetch').catch(() => 0); new Image().src = 'http://192.0.2.1/image';
        const frame = document.createElement('iframe'); frame.src = 'http://192.0.2.1/frame'; document.body.append(frame);
        navigator.sendBeacon('http://192.0.2.1/beacon'); return 0""")
    same("requests are made", told, 0)
    check("each is refused", wait(browser, "window.told.length >= 4"), browser.run("return window.told"))
    same("none reaches the network", proxy.asked, [])
    browser.log()
    browser.ask("POST", "/url", {"url": "data:text/html,<p>"})
    browser.run("fetch('http://192.0.2.1/fetch').catch(() => 0)")
    for _ in range(50):
        if proxy.asked:
            break
        time.sleep(0.1)
    check("the proxy counts", len(proxy.asked) > 0)
    browser.log()


def test_themes(browser, pictures):
    colour = "return getComputedStyle(document.body).backgroundColor"
    browser.prefer("light")
    light = browser.run(colour)
    browser.prefer("dark")
    wait(browser, "document.documentElement.dataset.theme === 'dark'")
    dark = browser.run(colour)
    check("dark as the system has it", light == "rgb(255, 255, 255)" and dark != light, light, dark)
    browser.screenshot(pictures + "/dark.png")
    browser.click("#theme")
    same("the switch: light", browser.run(colour), light)
    browser.click("#theme")
    same("dark", browser.run(colour), dark)
    browser.click("#theme")
    browser.prefer("light")


def test_shapes(browser, pictures):
    browser.window(390, 844)
    time.sleep(0.3)
    wide = browser.run("return [document.documentElement.scrollWidth, window.innerWidth]")
    check("a phone: nothing is wider than the screen", wide[0] <= wide[1], wide)
    browser.screenshot(pictures + "/phone.png")
    browser.window(1400, 1000)
    time.sleep(0.3)
    browser.ask("POST", "/refresh", {})
    pdf = browser.print_page(pictures + "/paper.pdf")
    check("it prints", pdf[:4] == b"%PDF" and len(pdf) > 20000, len(pdf))
    browser.screenshot(pictures + "/light.png")


def test_compared(browser, truth):
    before = sum(stack["before"] for stack in truth.stacks)
    same("the change is the sum", browser.run("""const n = document.querySelector('.frame').frameNode; return n.bytes - n.before_bytes"""),
         truth.bytes - before)
    same("sorted by change", browser.run(ROWS % "td.change small")[0],
         f"+{max(stack['bytes'] - stack['before'] for stack in truth.stacks):,}")
    kinds = browser.run("""return Array.from(document.querySelectorAll('.frame')).every((f) => { const n = f.frameNode,
        change = (n.bytes - n.before_bytes) / Math.max(n.bytes, n.before_bytes);
        return f.classList.contains(change > 0.005 ? 'grown' : change < -0.005 ? 'shrunk' : 'same'); })
        && document.querySelectorAll('.frame.grown').length > 0 && document.querySelectorAll('.frame.shrunk').length > 0""")
    check("two colours, by the sign of the change", kinds)
    browser.run("const s = document.getElementById('measure'); s.value = 'moved'; s.dispatchEvent(new Event('change'))")
    same("by what changed", browser.run("return document.querySelector('.frame').frameNode.moved"),
         sum(abs(stack["bytes"] - stack["before"]) for stack in truth.stacks))
    browser.run("const s = document.getElementById('measure'); s.value = 'bytes'; s.dispatchEvent(new Event('change'))")


def as_shown(name):
    return re.sub("[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", lambda c: f"\\u{ord(c.group(0)):04x}", name)


def test_hostile(browser, truth):
    same("hostile names run nothing", browser.run("return window.broken === undefined"), True)
    same("and make no elements", browser.run("return document.querySelectorAll('img, iframe, b b, title ~ title, main script').length"), 0)
    found = browser.run(DECODE + "return view.stacks.map((s) => view.functions[view.frames[s.path[s.path.length - 1]].fn].name)")
    wanted = [as_shown(stack["names"][-1]) if stack["names"][-1] is not None else None for stack in truth.stacks]
    check("they are decoded to the letter", all(w is None or f == w for f, w in zip(found, wanted)))
    browser.click("#all")
    browser.run("document.querySelectorAll('tr.stack').forEach((row) => row.click())")
    shown = set(browser.run("return Array.from(document.querySelectorAll('tr.more li:first-child .name'), (n) => n.textContent)"))
    check("they are shown to the letter", all(w is None or w in shown for w in wanted), [w for w in wanted if w and w not in shown][:1])
    check("the long one too", any(len(name) == 10000 for name in shown))
    same("the page is not wider", browser.run("return document.documentElement.scrollWidth <= window.innerWidth"), True)
    same("and nothing ran", browser.run("return window.broken === undefined"), True)


def tell_times(browser):
    """CPU time of the page's thread, to the next frame that is painted."""
    browser.ask("POST", "/goog/cdp/execute", {"cmd": "Performance.enable", "params": {"timeDomain": "threadTicks"}})
    painted = "; return new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
    times = []
    for what, script in (("open", "location.reload()"), ("zoom", "document.querySelectorAll('.frame')[8].click()"),
                         ("reset", "document.getElementById('reset').click()"), ("invert", "document.getElementById('invert').click()"),
                         ("and back", "document.getElementById('invert').click()"), ("all rows", "document.getElementById('all').click()"),
                         ("sort them", "document.querySelector('th.blocks button').click()")):
        before = browser.cpu_ms() if what != "open" else 0
        browser.run(script + (painted if what != "open" else ""))
        time.sleep(1)
        times.append(f"{what} {browser.cpu_ms() - before}")
    print("ms of CPU with 2,000 stacks, painted:", ", ".join(times) + ";", browser.run("return document.querySelectorAll('.frame').length"), "frames")


def main():
    work, pictures = sys.argv[1:]
    proxy = CountingProxy()
    browser = Browser(work, proxy)
    try:
        browser.prefer("light")
        truth = Truth(work + "/plain.truth")
        browser.open(work + "/plain.html")
        for test in (test_data, test_zoom, test_keys, test_search, test_sort, test_invert, test_unfold, test_sizes):
            test(browser, truth)
        tell_times(browser)
        test_themes(browser, pictures)
        test_shapes(browser, pictures)
        test_quiet(browser, proxy, "plain")
        truth = Truth(work + "/compared.truth")
        browser.open(work + "/compared.html")
        test_data(browser, truth)
        test_compared(browser, truth)
        browser.screenshot(pictures + "/compared.png")
        test_quiet(browser, proxy, "compared")
        truth = Truth(work + "/hostile.truth")
        browser.open(work + "/hostile.html")
        test_hostile(browser, truth)
        browser.screenshot(pictures + "/hostile.png")
        test_quiet(browser, proxy, "hostile")
        test_closed(browser, proxy)
    finally:
        browser.close()
    print(f"{passed} passed, {failed} failed")
    return failed != 0


sys.exit(main())
