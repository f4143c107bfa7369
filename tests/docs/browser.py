"""The documentation's page in a browser: logging in, trying an operation, logging out.

browser.py <site> <folder for screenshots>
"""

import json
import sys
import tempfile
import urllib.request

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

SITE, SHOTS = sys.argv[1:]
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --window-size=1280,900""".split()


def start(profile):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))


def look(browser):
    one = lambda selector: browser.find_element(By.CSS_SELECTOR, selector)
    until = lambda condition: WebDriverWait(browser, 30).until(lambda _: condition())
    shot = lambda name: browser.save_screenshot(f"{SHOTS}/{name}.png")

    def log_in(password):
        for name, value in [("tenant", "demo"), ("email", "manager@demo.test"), ("password", password)]:
            field = one(f"#login [name={name}]")
            field.clear()
            field.send_keys(value)
        one("#login button").click()

    def answered(operation, status):
        cells = browser.find_elements(By.CSS_SELECTOR, f"{operation} .live-responses-table .response .response-col_status")
        return [cell.text.split()[0] for cell in cells if cell.text] == [status]

    def execute(operation, status):
        one(f"{operation} .execute").click()
        until(lambda: answered(operation, status))
        return json.loads(one(f"{operation} .live-responses-table .response-col_description .microlight").text)

    def try_out(operation, status):
        one(f"{operation} .opblock-summary-control").click()
        until(lambda: browser.find_elements(By.CSS_SELECTOR, f"{operation} .try-out__btn"))
        one(f"{operation} .try-out__btn").click()
        return execute(operation, status)

    with urllib.request.urlopen(f"{SITE}/api/openapi.json") as document:
        paths = json.load(document)["paths"]
    operations = sum(len(methods) for methods in paths.values())
    browser.get(f"{SITE}/docs")
    until(lambda: len(browser.find_elements(By.CSS_SELECTOR, ".opblock")) == operations)
    shot("start")

    log_in("not the password")
    until(lambda: one("#said").text == "Invalid credentials")
    assert one("#login").is_displayed() and not one("#session").is_displayed()

    log_in("voki-demo-2026")
    until(lambda: one("#session").is_displayed())
    who = one("#who").text
    assert who.endswith(", manager of demo"), who
    assert not one("#said").is_displayed() and not one("#login").is_displayed()
    assert one("#login [name=password]").get_property("value") == ""

    me, create = "#operations-Users-getMe", "#operations-Departments-createDepartment"
    caller = try_out(me, "200")
    assert caller["data"]["email"] == "manager@demo.test", caller
    # The body is the document's example.
    example = paths["/api/v1/departments"]["post"]["requestBody"]["content"]["application/json"]["example"]
    made = try_out(create, "201")
    assert made["data"]["name"] == example["department"]["name"], made
    shot("answered")
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    browser.execute_script("scrollTo(0, 0)")
    width = browser.execute_script("return document.documentElement.scrollWidth")
    assert width == phone["width"], f"{width} pixels on a phone's {phone['width']}"
    shot("phone")

    one("#logout").click()
    until(lambda: one("#login").is_displayed())
    shot("phone-login")
    refused = execute(me, "401")
    assert refused == {"errors": {"detail": "Missing access token"}}, refused


def asked(browser):
    """Every address that the page asked for."""
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            yield message["params"]["request"]["url"]


with tempfile.TemporaryDirectory() as profile:
    browser = start(profile)
    try:
        look(browser)
        foreign = [url for url in asked(browser) if url.startswith(("http", "ws")) and not url.startswith(f"{SITE}/")]
        assert not foreign, foreign
        # A refused login and a call after logging out are what was asked for; nothing else is wrong.
        wrong = [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        wrong = [message for message in wrong if "the server responded with a status of 401" not in message]
        assert not wrong, wrong
    finally:
        browser.quit()
print("the page holds")
