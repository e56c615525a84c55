/* What the page makes of the document before Swagger UI shows it. */

/* Return the document for the page: its first paragraph stands above already, and what may be left out starts empty,
   because Swagger UI would send every example and every default that it knows. */
export function forPeople(contract) {
  const made = structuredClone(contract);
  made.info.description = made.info.description.replace(/^[^]*?\n\n/, "");
  for (const parameter of parameters(made)) {
    if (!parameter.required) {
      emptied(parameter, made);
    }
  }
  return made;
}

/* Return the ids that the document makes up, by what they are of. */
export function madeUpIds(contract) {
  const named = Object.fromEntries(parameters(contract).map(({ name, example }) => [name, example]));
  const { ids } = contract.paths["/tasks/bulk"].post.requestBody.content["application/json"].examples.byId.value;
  return {
    task_id: named.task_id,
    other_task_id: ids.find((id) => id !== named.task_id),
    project_id: named.project_id,
    user_id: named.user_id,
    notification_id: contract.components.schemas.Notification.example.id,
  };
}

/* Return a text with ids in it, `before`, replaced by those of the same things in `after`. */
export function translated(text, before, after) {
  const words = Object.keys(before).map((what) => [before[what], after[what] ?? before[what]]);
  return words.reduce((made, [id, other]) => made.replaceAll(id, other), text);
}

/* Return the document with ids of yours in place of those that are made up. */
export function ofYours(contract, ids) {
  const made = JSON.parse(translated(JSON.stringify(contract), madeUpIds(contract), ids));
  for (const parameter of parameters(made)) {
    if (parameter.required) {
      parameter.example = ids[parameter.name] ?? parameter.example;
    }
  }
  return made;
}

function parameters(contract) {
  return Object.values(contract.components.parameters);
}

function emptied(parameter, contract) {
  const schema = { ...resolved(parameter.schema, contract) };
  const hints = [
    ["For example", parameter.example ?? schema.example],
    ["Without it", schema.default],
  ].flatMap(([words, value]) => (value === undefined ? [] : [`${words}: \`${[value].flat().join("`, `")}\`.`]));
  parameter.description = [parameter.description.trim(), ...hints].join("\n\n");
  parameter.schema = schema;
  delete schema.example;
  delete schema.default;
  delete parameter.example;
}

function resolved(node, contract) {
  return node.$ref ? node.$ref.slice(2).split("/").reduce((part, step) => part[step], contract) : node;
}
