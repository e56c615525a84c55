// The story, told in TypeScript: each language tells it in the same lines.

import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];
type Tracker = Client<paths>;

declare const process: { argv: string[] };
const TITLES = ["Water the plants", "Plant a tree", "Mow the lawn"];

// Tells what docs/sdk.md shows; returns a client that is logged in.
async function begin(url: string, name: string, password: string): Promise<Tracker> {
  // docs/sdk.md from here
  const api = createClient<paths>({ baseUrl: url });
  await api.POST("/register", { body: { username: name, email: `${name}@example.com`, password } });
  const { data: tokens } = await api.POST("/login", { body: { username: name, password } });
  if (!tokens) throw new Error("not logged in");
  const mine = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${tokens.access_token}` } });
  const { data: task } = await mine.POST("/tasks", { body: { title: "Water the plants" } });
  if (!task) throw new Error("no task");
  const seen = { path: { task_id: task.id }, header: { "If-Match": `"${task.version}"` } };
  const { data: changed } = await mine.PATCH("/tasks/{task_id}", { params: seen, body: { priority: "urgent" } });
  const { error: problem } = await mine.PATCH("/tasks/{task_id}", { params: seen, body: { priority: "urgent" } });
  // docs/sdk.md to here
  console.log(`${tokens.token_type} token`);
  console.log(`${changed?.title}: ${changed?.priority}, version ${changed?.version}`);
  console.log(said(problem));
  return mine;
}

// Tells of a project, from its first task to its log.
async function goOn(mine: Tracker): Promise<void> {
  const project = had(await mine.POST("/projects", { body: { name: "Garden" } }));
  console.log(`${project.kind} ${project.name}: ${project.your_role}`);
  const tasks: Schemas["Task"][] = [];
  for (const title of TITLES) tasks.push(had(await mine.POST("/tasks", { body: { title, project_id: project.id } })));
  await turnPages(mine, project);
  await beRefused(mine, project, tasks);
  await changeAll(mine, tasks);
  await follow(mine, project);
}

// Reads the project's tasks one by one.
async function turnPages(mine: Tracker, project: Schemas["Project"]): Promise<void> {
  let cursor: string | null = "";
  while (cursor !== null) {
    const place: { cursor?: string } = cursor ? { cursor } : {};
    const query = { project_id: project.id, sort: "number" as const, limit: 1, ...place };
    const page: Schemas["TaskPage"] = had(await mine.GET("/tasks", { params: { query } }));
    console.log(["page:", ...page.items.map((task) => `${task.number} ${task.title}`)].join(" "));
    cursor = page.next;
  }
}

// Asks for what cannot be had, and reads why not.
async function beRefused(mine: Tracker, project: Schemas["Project"], [task]: Schemas["Task"][]): Promise<void> {
  if (!task) throw new Error("no task");
  console.log(said((await mine.GET("/tasks/{task_id}", { params: { path: { task_id: project.id } } })).error));
  console.log(said((await mine.POST("/tasks", { body: { title: "" } })).error));
  const params = { path: { task_id: task.id } };
  const done = had(await mine.PATCH("/tasks/{task_id}/status", { params, body: { status: "done" } }));
  console.log([`${done.title}: ${done.status}, then`, ...done.allowed_statuses].join(" "));
  console.log(said((await mine.PATCH("/tasks/{task_id}/status", { params, body: { status: "blocked" } })).error));
}

// Changes the tasks in one operation, and takes it back.
async function changeAll(mine: Tracker, tasks: Schemas["Task"][]): Promise<void> {
  const body = { ids: tasks.map((task) => task.id), patch: { labels: ["garden"] } };
  const answer = await mine.POST("/tasks/bulk", { body });
  const { changed, items } = had(answer);
  console.log([`${changed} changed:`, ...(items[0]?.labels ?? [])].join(" "));
  const operation_id = answer.response.headers.get("Operation-Id") ?? "";
  const { undone } = had(await mine.POST("/operations/{operation_id}/undo", { params: { path: { operation_id } } }));
  console.log(`${undone} undone`);
}

// Reads the log of the project, each change as what it is.
async function follow(mine: Tracker, project: Schemas["Project"]): Promise<void> {
  const params = { path: { project_id: project.id }, query: { after: 0 } };
  const log = had(await mine.GET("/projects/{project_id}/changes", { params }));
  for (const change of log.items) console.log(`${change.head}.${change.n} ${change.entity}: ${became(change)}`);
}

// What a change made of what.
function became(change: Schemas["Change"]): string {
  switch (change.entity) {
    case "task":
      return `${inWords(change.before)} -> ${inWords(change.after)}`;
    case "project":
      return change.after?.name ?? "gone";
    case "membership":
      return change.after?.role ?? "gone";
    case "reminder":
      return change.after?.kind ?? "gone";
  }
}

// A task in some words.
function inWords(task: Schemas["Task"] | null): string {
  return task ? `${task.title} (${[task.status, ...task.labels].join(", ")})` : "nothing";
}

// What a problem says.
function said(problem: Schemas["Problem"] | undefined): string {
  if (!problem) throw new Error("no problem");
  const places = (problem.errors ?? []).map((error) => `, ${error.pointer} ${error.rule}`);
  return `${problem.status} ${problem.type}${places.join("")}`;
}

// What was answered, where it was no problem.
function had<T>(answer: { data?: T; error?: Schemas["Problem"] }): T {
  if (answer.data === undefined) throw new Error(answer.error?.detail);
  return answer.data;
}

const [, , url = "", name = "", password = ""] = process.argv;
await goOn(await begin(url, name, password));
