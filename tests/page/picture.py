# SPDX-License-Identifier: BSD-2-Clause
"""picture.py WORK PAGE PNG: the page with its first stack unfolded and a frame of it looked at."""

import sys
import time

from webdriver import Browser, CountingProxy

work, page, picture = sys.argv[1:]
browser = Browser(work, CountingProxy())
try:
    browser.window(1280, 1370)
    browser.prefer("light")
    browser.open(page)
    browser.run("""const found = Array.from(document.querySelectorAll('.frame')).filter((f) => f.textContent === 'luaCreateFunction')[0];
        if (found) found.dispatchEvent(new MouseEvent('mouseover', {bubbles: true}));""")
    time.sleep(0.5)
    browser.screenshot(picture)
finally:
    browser.close()
