/* The page where everything can be tried: Swagger UI over the document, and a log-in that fills in the token. */

import { forPeople, madeUpIds, ofYours, translated } from "/docs/contract.js";
import { yourIds } from "/docs/ids.js";
import { Session } from "/docs/session.js";

const SCHEME = "bearerAuth";
const at = (id) => document.getElementById(id);
const read = async (path) => (await fetch(path)).json();

function followColours() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", follow);
  follow();
}

/* Tokens stay in the memory of this page: persistAuthorization would keep them in localStorage.
   validatorUrl null: Swagger UI would ask a server of its makers about the document. */
function shown(contract) {
  return new Promise((resolve) => {
    const ui = SwaggerUIBundle({
      spec: contract,
      dom_id: "#swagger-ui",
      deepLinking: true,
      defaultModelsExpandDepth: 0,
      displayRequestDuration: true,
      docExpansion: "list",
      filter: true,
      onComplete: () => resolve(ui),
      persistAuthorization: false,
      tryItOutEnabled: true,
      validatorUrl: null,
    });
  });
}

function show(name) {
  at("log-in").hidden = name !== null;
  at("demo").hidden = name !== null || at("demo").childElementCount === 0;
  at("logged-in").hidden = name === null;
  at("who").textContent = name === null ? "" : `Logged in as ${name}; every request below is yours.`;
}

/* Return what puts other ids into every example, and into each body that is open already. */
function examples(ui, contract) {
  let present = madeUpIds(contract);
  return (ids) => {
    const next = { ...madeUpIds(contract), ...ids };
    for (const [path, item] of Object.entries(contract.paths)) {
      for (const method of Object.keys(item)) {
        const body = ui.oas3Selectors.requestBodyValue(path, method);
        if (typeof body === "string") {
          ui.oas3Actions.setRequestBodyValue({ value: translated(body, present, next), pathMethod: [path, method] });
        }
      }
    }
    ui.specActions.updateJsonSpec(forPeople(ofYours(contract, next)));
    present = next;
    document.documentElement.dataset.examples = next.task_id;
  };
}

/* The token is the page's as soon as it is there; the examples follow once it is known what there is of yours. */
function follow(ui, contract) {
  const put = examples(ui, contract);
  return async (name, token) => {
    if (token === null) {
      ui.authActions.logout([SCHEME]);
    } else {
      ui.preauthorizeApiKey(SCHEME, token);
    }
    if (at("log-in").hidden === (name === null)) {
      show(name);
      (name === null ? at("log-in").elements.name : at("logged-in")).focus({ preventScroll: true });
      put(name === null ? {} : await yourIds(token));
    }
  };
}

function offer(logins, logIn) {
  for (const { name, password } of logins) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `Log in as ${name}`;
    button.addEventListener("click", () => logIn(name, password));
    at("demo").append(button);
  }
  show(null);
}

function listen(session) {
  const form = at("log-in");
  const logIn = async (name, password) => {
    at("failure").textContent = "";
    at("failure").textContent = await session.logIn(name, password);
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { name, password } = form.elements;
    await logIn(name.value, password.value);
    password.value = "";
  });
  at("log-out").addEventListener("click", () => session.logOut());
  return logIn;
}

followColours();
const [contract, logins] = await Promise.all([read("/openapi.json"), read("/docs/logins.json")]);
const ui = await shown(forPeople(contract));
document.querySelector(".operation-filter-input")?.setAttribute("aria-label", "Filter by tag");
const ended = (why) => {
  at("failure").textContent = why;
};
offer(logins, listen(new Session(follow(ui, contract), ended)));
document.documentElement.dataset.ready = "true";
