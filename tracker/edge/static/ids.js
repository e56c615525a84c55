/* Ids of things of yours, so that what is shown as an example works at once. */

/* Return an id of yours for each kind of thing of which you have one: of a project that you own, of an open task and
   of somebody else in it. */
export async function yourIds(token) {
  const ask = async (path) => {
    const answer = await fetch(path, { headers: { Authorization: `Bearer ${token}` } });
    return answer.ok ? answer.json() : { items: [] };
  };
  const [me, projects, sessions, notifications] = await Promise.all([
    ask("/me"),
    ask("/projects?limit=20"),
    ask("/me/sessions"),
    ask("/me/notifications?limit=1"),
  ]);
  const { project, members } = await owned(ask, me, projects.items);
  const within = project ? `&project_id=${project.id}` : "";
  const tasks = await ask(`/tasks?limit=2&status=todo&status=in_progress${within}`);
  const [task, other] = tasks.items;
  const activity = task ? await ask(`/tasks/${task.id}/activity`) : { items: [] };
  const ids = {
    task_id: task?.id,
    other_task_id: other?.id,
    project_id: project?.id,
    user_id: (members.find((member) => member.user_id !== me.id) ?? { user_id: me.id }).user_id,
    session_id: sessions.items.find((session) => session.current)?.id,
    notification_id: notifications.items[0]?.id,
    operation_id: activity.items.at(-1)?.operation_id,
  };
  return Object.fromEntries(Object.entries(ids).filter(([, id]) => id !== undefined));
}

async function owned(ask, me, projects) {
  for (const project of projects.filter(({ kind }) => kind === "project")) {
    const members = (await ask(`/projects/${project.id}/members`)).items;
    if (members.some(({ user_id, role }) => user_id === me.id && role === "owner")) {
      return { project, members };
    }
  }
  return { project: projects[0], members: [] };
}
