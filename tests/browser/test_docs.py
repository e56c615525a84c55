"""The pages in a browser: what people do on them, by mouse, by keyboard alone and on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import DESKTOP, NARROW, PHONE, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser.chromium import Visit

pytestmark = pytest.mark.chromium

SIZES = pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
PASSWORD = "correct horse battery"
STOPS = 600  # more than the page has

# Sends what each request body has for an example, as the page would, and returns the statuses.
EVERY_EXAMPLE = """async () => {
  const { ofYours } = await import("/docs/contract.js");
  const { yourIds } = await import("/docs/ids.js");
  const json = { "Content-Type": "application/json" };
  const credentials = JSON.stringify({ username: "ann", password: "correct horse battery" });
  const login = await fetch("/login", { method: "POST", headers: json, body: credentials });
  const token = (await login.json()).access_token;
  const headers = { ...json, Authorization: `Bearer ${token}` };
  const contract = await (await fetch("/openapi.json")).json();
  const made = ofYours(contract, await yourIds(token));
  const resolved = (node) => node.$ref ? node.$ref.slice(2).split("/").reduce((part, step) => part[step], made) : node;
  const statuses = {};
  for (const [path, item] of Object.entries(made.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (!operation.requestBody) continue;
      const parameters = (operation.parameters ?? []).map(resolved);
      const target = path.replace(/{(.*?)}/g, (_, name) => parameters.find((other) => other.name === name).example);
      const dry = parameters.some(({ name }) => name === "dry_run") ? "?dry_run=true" : "";
      const content = resolved(operation.requestBody).content["application/json"];
      const examples = content.examples
        ? Object.entries(content.examples).map(([name, { value }]) => [`${operation.operationId} ${name}`, value])
        : [[operation.operationId, content.example ?? resolved(content.schema).example]];
      for (const [name, value] of examples) {
        const body = JSON.stringify(value);
        const answer = await fetch(target + dry, { method: method.toUpperCase(), headers, body });
        statuses[name] = answer.ok ? "works" : `${answer.status} ${(await answer.json()).detail}`;
      }
    }
  }
  return statuses;
}"""
# What takes a secret that only its owner has been told.
SECRETS = {"refreshToken", "resetPassword"}


def press_until(page: Page, test: str, argument: object = None) -> None:
    """Go on with the Tab key until a test of the element that has the focus holds; each stop has to be seen."""
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", page.evaluate("document.activeElement.outerHTML")
        if page.evaluate(f"argument => ({test})(document.activeElement, argument)", argument):
            return
    pytest.fail(f"{STOPS} times Tab do not lead to {test}")


def alert(page: Page) -> str:
    page.wait_for_selector("[role=alert]:not(:empty)")
    return page.get_by_role("alert").inner_text()


def stored(page: Page) -> Any:
    return page.evaluate("[{...localStorage}, {...sessionStorage}, document.cookie]")


def test_somebody_logs_in_and_creates_a_task_by_keyboard_alone(docs: Visit) -> None:
    page = docs.page
    press_until(page, "element => element.name === 'name'")
    page.keyboard.type("ann")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Logged in as ann")
    operation = "#operations-Tasks-createTask"
    press_until(page, "(element, of) => element.matches(`${of} .opblock-summary-control`)", operation)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{operation} .btn.execute")
    press_until(page, "(element, of) => element.matches(`${of} .btn.execute`)", operation)
    page.keyboard.press("Enter")

    status, curl = docs.answered(operation)
    assert (status, "Authorization: Bearer" in curl, "Idempotency-Key" in curl) == ("201", True, False)
    assert docs.complaints == []


def test_a_wrong_password_is_an_alert_and_the_right_one_then_works(docs: Visit) -> None:
    page = docs.page
    page.get_by_label("Name or e-mail").fill("ann@example.com")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Log in", exact=True).click()

    assert alert(page)
    assert page.get_by_label("Password", exact=True).input_value() == ""
    assert [complaint for complaint in docs.complaints if "401" not in complaint] == []
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_selector("text=Logged in as ann@example.com")
    assert page.text_content("[role=alert]") == ""


def test_a_token_is_kept_nowhere_and_gone_with_the_log_out(docs: Visit) -> None:
    docs.log_in()
    assert docs.execute("Me", "getMe")[0] == "200"
    assert stored(docs.page) == [{}, {}, ""]

    with docs.page.expect_response(lambda answer: answer.url.endswith("/logout")) as answered:
        docs.page.get_by_role("button", name="Log out", exact=True).click()
    assert answered.value.status == 204
    status, curl = docs.execute("Me", "listSessions")
    assert (status, "Authorization" in curl) == ("401", False)


def test_what_may_be_left_out_starts_empty_and_what_is_needed_is_yours(docs: Visit) -> None:
    open_already = docs.unfold("Tasks", "bulkUpdateTasks")
    made_up = docs.page.input_value(f"{open_already} textarea")
    docs.log_in()

    status, curl = docs.execute("Tasks", "listTasks")
    assert (status, "?" in curl, "If-None-Match" in curl) == ("200", False, False)
    status, curl = docs.execute("Tasks", "updateTask")
    assert (status, "dry_run" in curl, "If-Match" in curl) == ("200", False, False)
    assert docs.page.input_value(f"{open_already} textarea") != made_up
    docs.page.click(f"{open_already} .btn.execute")
    assert docs.answered(open_already)[0] == "200"
    assert docs.complaints == []


def test_every_example_of_a_request_body_works_on_a_demo(docs: Visit) -> None:
    statuses = docs.page.evaluate(EVERY_EXAMPLE)

    assert len(statuses) > 20
    assert {name: said for name, said in statuses.items() if said != "works" and name not in SECRETS} == {}


@SIZES
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_photographed(browser: Browser, home: str, name: str, size: tuple[int, int], scheme: str) -> None:
    with visit(browser, home, size, color_scheme=scheme) as seen:
        seen.open("/docs")
        assert seen.page.evaluate("document.documentElement.classList.contains('dark-mode')") == (scheme == "dark")
        seen.photograph(f"docs-{name}-{scheme}")
        seen.log_in()
        seen.execute("Tasks", "createTask")
        seen.page.locator(".live-responses-table").scroll_into_view_if_needed()
        seen.photograph(f"created-{name}-{scheme}")
        for path in ("/reference", "/problems"):
            seen.open(path)
            seen.photograph(f"{path[1:]}-{name}-{scheme}")
        assert seen.complaints == []


def test_nothing_scrolls_sideways_on_a_narrow_screen(browser: Browser, home: str) -> None:
    with visit(browser, home, NARROW) as seen:
        seen.open("/docs")
        assert seen.width() == NARROW[0]
        seen.log_in()
        for tag, operation_id in (("Tasks", "listTasks"), ("Tasks", "createTask"), ("Changes", "listChanges")):
            seen.execute(tag, operation_id)
            assert seen.width() == NARROW[0], operation_id
        for path in ("/reference", "/problems", "/problems/not-found"):
            seen.open(path)
            assert seen.width() == NARROW[0], path
        assert seen.complaints == []


def test_a_script_that_is_not_a_file_of_ours_would_not_run_and_would_be_seen(docs: Visit) -> None:
    docs.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = true'}))"
    )
    docs.page.wait_for_timeout(0)

    assert docs.page.evaluate("window.ran") is None
    assert any("Content Security Policy" in complaint for complaint in docs.complaints)
