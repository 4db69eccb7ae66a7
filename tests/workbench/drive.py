"""Drives the workbench in headless Chromium and prints what it saw as JSON.

    drive.py pointer|keys|widths URL FOLDER

Exit code 77: a browser, its driver or selenium is not here. Waits are bounded and end on a condition of
the page. With WORKBENCH_PICTURES=DIR pictures are left there.
"""

import json
import os
import shutil
import sys
from pathlib import Path

try:
    from selenium import webdriver
    from selenium.webdriver import ActionChains, Keys
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:
    sys.exit(77)

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
if not BROWSER or not DRIVER:
    sys.exit(77)

PATIENCE = 60  # seconds; a build without optimisation answers in about one
SLOT = "table.rate.slot[乳儿班]"
FLOAT = "guide_price.full_day.float_up"


class Page:
    def __init__(self, url, folder):
        options = webdriver.ChromeOptions()
        options.binary_location = BROWSER
        arguments = ["--headless=new", "--window-size=1280,900", "--disable-dev-shm-usage",
                     "--disable-background-networking", "--no-first-run", "--disable-component-update"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")  # the browser refuses root otherwise
        for argument in arguments:
            options.add_argument(argument)
        options.add_experimental_option("prefs", {"download.default_directory": str(folder),
                                                  "download.prompt_for_download": False})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
        self.folder = folder
        self.origin = "/".join(url.split("/")[:3]) + "/"
        self.seen = {"console": [], "failed": [], "requests": 0}
        self.driver.get(url)
        self.settle()

    def until(self, condition, what):
        return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05).until(
            lambda _: condition(), what)

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def line(self, path, rest):
        return self.find(f'[data-path="{path}"] {rest}')

    def settle(self):
        """Waits until the page has its answers."""
        ready = ("const at = document.getElementById('results');"
                 "return at?.getAttribute('aria-busy') === 'false'"
                 " && document.getElementById('figure-cost') !== null")
        self.until(lambda: self.driver.execute_script(ready), "the answer")

    def cost(self):
        self.settle()
        return self.find("#figure-cost").get_attribute("data-exact")

    def compared(self):
        self.settle()
        cells = self.all('#comparison [data-figure="cost"] td')
        # The law as it is in front, what is moved now behind.
        return [cell.get_attribute("data-exact") for cell in cells[1:-1]]

    def names(self):
        return [self.driver.execute_script("return arguments[0].firstChild.textContent", head)
                for head in self.all("#comparison thead th")[2:-1]]

    def downloaded(self):
        file = Path(self.folder) / "overlay.toml"
        # The browser takes the name with an empty file before it has the download.
        self.until(lambda: file.is_file() and file.stat().st_size > 0
                   and not list(Path(self.folder).glob("*.crdownload")), "the download")
        # The folder is the test's: a second download has a name of its own.
        kept = file.with_name("kept.toml")
        file.rename(kept)
        return str(kept)

    def picture(self, name):
        folder = os.environ.get("WORKBENCH_PICTURES")
        if not folder:
            return
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6000), "scale": 1}
        shot = {"captureBeyondViewport": True, "clip": clip}
        import base64
        data = self.driver.execute_cdp_cmd("Page.captureScreenshot", shot)["data"]
        Path(folder, f"{name}.png").write_bytes(base64.b64decode(data))
        self.driver.save_screenshot(str(Path(folder, f"{name}-view.png")))

    def end(self):
        for entry in self.driver.get_log("browser"):
            self.seen["console"].append(entry["message"])
        for entry in self.driver.get_log("performance"):
            event = json.loads(entry["message"])["message"]
            method, told = event["method"], event["params"]
            if method == "Network.requestWillBeSent":
                url = told["request"]["url"]
                if url.startswith(self.origin):
                    self.seen["requests"] += 1
                elif not url.startswith(("blob:", "data:", "chrome:")):
                    self.seen["failed"].append(f"elsewhere: {url}")
            elif method == "Network.loadingFailed" and not told.get("canceled"):
                self.seen["failed"].append(told["errorText"])
            elif method == "Network.responseReceived" and told["response"]["status"] >= 400:
                self.seen["failed"].append(told["response"]["url"])
        self.driver.quit()
        print(json.dumps(self.seen, ensure_ascii=False))


def typed(page, path, text):
    field = page.line(path, "input[type=text]")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(text, Keys.TAB)


def pointer(page):
    seen = page.seen
    seen["at_first"] = page.cost()
    slider = page.line(SLOT, "input[type=range]")
    page.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", slider)
    # From the middle, where the law stands, a quarter of the way up.
    ActionChains(page.driver).move_to_element(slider).click_and_hold().move_by_offset(
        slider.size["width"] // 4, 0).release().perform()
    seen["after_drag"] = page.cost()
    seen["dragged"] = page.line(SLOT, "input[type=text]").get_attribute("value")
    page.find("#pin-name").send_keys("甲方案")
    page.find("#pin").click()
    typed(page, FLOAT, "0.03")
    seen["after_typing"] = page.cost()
    page.find("#pin").click()
    seen["compared"] = page.compared()
    seen["names"] = page.names()
    page.picture("compare")
    page.find("#download").click()
    seen["downloaded"] = page.downloaded()
    page.driver.refresh()
    seen["after_reload"] = page.cost()
    seen["compared_after_reload"] = page.compared()
    typed(page, SLOT, "一百")
    page.settle()
    error = page.line(SLOT, ".error")
    page.until(lambda: error.text != "", "the message")
    field = page.line(SLOT, "input[type=text]")
    assert field.get_attribute("aria-invalid") == "true"
    assert error.get_attribute("id") in field.get_attribute("aria-describedby")
    seen["told"] = error.text
    seen["while_wrong"] = page.cost()
    page.picture("wrong")
    page.find("#reset").click()
    seen["after_reset"] = page.cost()
    assert page.line(SLOT, ".error").text == ""


def at(page, css):
    return page.driver.execute_script(
        "return document.activeElement.matches(arguments[0])", css)


def press(page, *keys):
    page.driver.switch_to.active_element.send_keys(*keys)


def tab_to(page, css, key=Keys.TAB):
    for _ in range(400):
        if at(page, css):
            return
        ActionChains(page.driver).send_keys(key).perform()
    raise AssertionError(f"the tab key never came to {css}")


def keys(page):
    seen = page.seen
    tab_to(page, "#find")
    press(page, "rate.slot")
    slider = f'[data-path="{SLOT}"] input[type=range]'
    tab_to(page, slider)
    press(page, Keys.ARROW_RIGHT * 5)
    seen["after_keys"] = page.cost()
    seen["value"] = page.line(SLOT, "input[type=text]").get_attribute("value")
    back = Keys.SHIFT + Keys.TAB + Keys.NULL
    tab_to(page, "#pin", back)
    press(page, Keys.ENTER)
    seen["compared"] = page.compared()
    tab_to(page, "#download")
    press(page, Keys.SPACE)
    seen["downloaded"] = page.downloaded()
    tab_to(page, "#reset")
    press(page, Keys.ENTER)
    seen["after_reset"] = page.cost()
    # Loaded again from its pin, removed, all by keys.
    tab_to(page, "#take-0")
    press(page, Keys.ENTER)
    page.settle()
    assert page.cost() == seen["after_keys"]
    assert at(page, "#take-0"), "the focus stays where it was"
    tab_to(page, "#drop-0")
    press(page, Keys.ENTER)
    page.until(lambda: not page.all("#comparison"), "the pin is gone")
    # Once round the page.
    page.driver.execute_script("document.activeElement.blur(); window.scrollTo(0, 0)")
    told = """
        const at = document.activeElement;
        const labels = [...(at.labels ?? [])].map((of) => of.textContent).join(" ");
        const name = at.getAttribute("aria-label") || labels || at.textContent;
        const style = getComputedStyle(at);
        return [at.outerHTML.slice(0, 120), name.trim(), parseFloat(style.outlineWidth) > 0
                && style.outlineStyle !== "none", at === document.body]"""
    seen["nameless"], seen["ringless"] = [], []
    stops = 0
    for _ in range(600):
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
        html, name, ring, outside = page.driver.execute_script(told)
        if outside:
            break
        stops += 1
        if not name:
            seen["nameless"].append(html)
        if not ring:
            seen["ringless"].append(html)
    assert stops > 20, f"{stops} stops"


def widths(page):
    seen = page.seen
    seen["widths"] = []
    for width, height, mobile in [(1280, 900, False), (390, 844, True)]:
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile})
        page.driver.refresh()
        page.settle()
        typed(page, SLOT, "151")
        page.find("#pin").click()
        page.settle()
        for card in page.all("details:not([open])"):
            page.driver.execute_script("arguments[0].open = true", card)
        wide = page.driver.execute_script("return document.documentElement.scrollWidth")
        seen["widths"].append([width, wide])
        page.picture(f"width-{width}")


def main():
    part, url, folder = sys.argv[1:4]
    page = Page(url, folder)
    try:
        {"pointer": pointer, "keys": keys, "widths": widths}[part](page)
    except BaseException:
        page.picture(f"failed-{part}")
        page.driver.quit()
        raise
    page.end()


main()
