/* Being logged in: tokens in the memory of this page alone, made anew before they run out. */

const MARGIN = 30; // seconds before a token runs out at which another is asked for, and between two attempts at it

async function post(path, body, token) {
  const headers = { "Content-Type": "application/json" };
  if (token) {
    headers.Authorization = `Bearer ${token}`;
  }
  return fetch(path, { method: "POST", headers, body: body && JSON.stringify(body) });
}

export class Session {
  #name = null;
  #tokens = null;
  #timer = null;
  #tell;
  #ended;

  /* `tell` hears of every name and token, null where there is none; `ended` hears why a session is over. */
  constructor(tell, ended) {
    this.#tell = tell;
    this.#ended = ended;
  }

  /* Return what went wrong, for people; nothing if it went well. */
  async logIn(name, password) {
    const credentials = name.includes("@") ? { email: name, password } : { username: name, password };
    try {
      const answer = await post("/login", credentials);
      if (!answer.ok) {
        return (await answer.json()).detail;
      }
      this.#name = name;
      await this.#take(await answer.json());
      return "";
    } catch {
      return "The server does not answer.";
    }
  }

  async logOut() {
    const { access_token: token } = this.#tokens;
    await this.#forget();
    await post("/logout", undefined, token).catch(() => {}); // it runs out by itself
  }

  async #take(tokens) {
    this.#tokens = tokens;
    this.#wait(Math.max(tokens.expires_in - MARGIN, tokens.expires_in / 2));
    await this.#tell(this.#name, tokens.access_token);
  }

  async #forget() {
    clearTimeout(this.#timer);
    this.#name = this.#tokens = null;
    await this.#tell(null, null);
  }

  #wait(seconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refresh(), seconds * 1000);
  }

  async #refresh() {
    const { refresh_token } = this.#tokens;
    const answer = await post("/token/refresh", { refresh_token }).catch(() => null);
    if (answer?.ok) {
      await this.#take(await answer.json());
    } else if (answer?.status === 401) {
      await this.#forget();
      this.#ended("Your session is over; log in again.");
    } else {
      this.#wait(MARGIN);
    }
  }
}
