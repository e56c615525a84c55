import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import tracker.client.ApiClient;
import tracker.client.ApiException;
import tracker.client.JSON;
import tracker.client.api.AccountsApi;
import tracker.client.api.ChangesApi;
import tracker.client.api.ProjectsApi;
import tracker.client.api.TasksApi;
import tracker.client.api.TasksApi.APIListTasksRequest;
import tracker.client.model.*;

/** The story, told in Java: each language tells it in the same lines. */
final class Story {
    private static final List<String> TITLES = List.of("Water the plants", "Plant a tree", "Mow the lawn");

    private Story() {}

    public static void main(String[] arguments) throws Exception {
        goOn(begin(arguments[0], arguments[1], arguments[2]));
    }

    /** Tells what docs/sdk.md shows; returns a client that is logged in. */
    private static ApiClient begin(String url, String name, String password) throws Exception {
        // docs/sdk.md from here
        var accounts = new AccountsApi(client(url, null));
        var ann = new Registration().username(name).email(name + "@example.com").password(password);
        accounts.registerUser(ann, null, null);
        var tokens = accounts.login(new Credentials().username(name).password(password), null, null);
        var tasks = new TasksApi(client(url, tokens.getAccessToken()));
        var task = tasks.createTask(new TaskCreation().title("Water the plants"), null, null);
        var seen = "\"" + task.getVersion() + "\"";
        var urgent = new TaskPatch().priority(Priority.URGENT);
        var changed = tasks.updateTask(task.getId(), urgent, seen, null, null);
        var problem = refused(() -> tasks.updateTask(task.getId(), urgent, seen, null, null));
        // docs/sdk.md to here
        System.out.println(tokens.getTokenType() + " token");
        System.out.printf("%s: %s, version %d%n", changed.getTitle(), changed.getPriority(), changed.getVersion());
        System.out.println(said(problem));
        return client(url, tokens.getAccessToken());
    }

    /** Returns a client of the server; with a token, as its user. */
    private static ApiClient client(String url, String token) {
        var client = new ApiClient();
        client.updateBaseUri(url);
        if (token != null) {
            client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + token));
        }
        return client;
    }

    /** Tells of a project, from its first task to its log. */
    private static void goOn(ApiClient mine) throws Exception {
        var project = new ProjectsApi(mine).createProject(new ProjectCreation().name("Garden"), null, null);
        System.out.printf("%s %s: %s%n", project.getKind(), project.getName(), project.getYourRole());
        var tasks = new TasksApi(mine);
        var ids = new ArrayList<UUID>();
        for (var title : TITLES) {
            ids.add(tasks.createTask(new TaskCreation().title(title).projectId(project.getId()), null, null).getId());
        }
        turnPages(tasks, project);
        beRefused(tasks, project, ids.get(0));
        changeAll(mine, ids);
        follow(mine, project);
    }

    /** Reads the project's tasks one by one. */
    private static void turnPages(TasksApi tasks, Project project) throws ApiException {
        String cursor = null;
        do {
            var page = tasks.listTasks(APIListTasksRequest.newBuilder()
                    .projectId(project.getId()).sort("number").limit(1).cursor(cursor).build());
            for (var task : page.getItems()) {
                System.out.println("page: " + task.getNumber() + " " + task.getTitle());
            }
            cursor = page.getNext();
        } while (cursor != null);
    }

    /** Asks for what cannot be had, and reads why not. */
    private static void beRefused(TasksApi tasks, Project project, UUID id) throws Exception {
        System.out.println(said(refused(() -> tasks.getTask(project.getId(), null))));
        System.out.println(said(refused(() -> tasks.createTask(new TaskCreation().title(""), null, null))));
        var done = tasks.changeTaskStatus(id, new TaskStatusChange().status(Status.DONE), null, null, null);
        System.out.printf(
                "%s: %s, then %s%n", done.getTitle(), done.getStatus(), words(done.getAllowedStatuses(), " "));
        var blocked = new TaskStatusChange().status(Status.BLOCKED);
        System.out.println(said(refused(() -> tasks.changeTaskStatus(id, blocked, null, null, null))));
    }

    /** Changes the tasks in one operation, and takes it back. */
    private static void changeAll(ApiClient mine, List<UUID> ids) throws ApiException {
        var update = new TaskBulkUpdate().ids(new LinkedHashSet<>(ids)).patch(new TaskPatch().addLabelsItem("garden"));
        var answer = new TasksApi(mine).bulkUpdateTasksWithHttpInfo(update, null, null);
        var result = answer.getData();
        var labels = result.getItems().get(0).getLabels();
        System.out.printf("%d changed: %s%n", result.getChanged(), words(labels, " "));
        var operation = UUID.fromString(answer.getHeaders().get("operation-id").get(0));
        System.out.println(new ChangesApi(mine).undoOperation(operation, null, null).getUndone() + " undone");
    }

    /** Reads the log of the project, each change as what it is. */
    private static void follow(ApiClient mine, Project project) throws ApiException {
        for (var change : new ChangesApi(mine).listChanges(project.getId(), 0L, null, null).getItems()) {
            System.out.println(became(change.getActualInstance()));
        }
    }

    /** Returns what a change made of what, and where in the log. */
    private static String became(Object change) {
        if (change instanceof TaskChange one) {
            var both = inWords(one.getBefore()) + " -> " + inWords(one.getAfter());
            return place(one.getHead(), one.getN(), one.getEntity()) + both;
        }
        if (change instanceof ProjectChange one) {
            return place(one.getHead(), one.getN(), one.getEntity()) + one.getAfter().getName();
        }
        if (change instanceof MembershipChange one) {
            return place(one.getHead(), one.getN(), one.getEntity()) + one.getAfter().getRole();
        }
        var one = (ReminderChange) change;
        return place(one.getHead(), one.getN(), one.getEntity()) + one.getAfter().getKind();
    }

    private static String place(long head, int n, Object entity) {
        return head + "." + n + " " + entity + ": ";
    }

    /** Returns a task in some words. */
    private static String inWords(Task task) {
        if (task == null) {
            return "nothing";
        }
        var parts = Stream.concat(Stream.of(task.getStatus().getValue()), task.getLabels().stream());
        return task.getTitle() + " (" + words(parts.toList(), ", ") + ")";
    }

    private static String words(Collection<?> parts, String between) {
        return parts.stream().map(String::valueOf).collect(Collectors.joining(between));
    }

    /** Returns what a problem says. */
    private static String said(Problem problem) {
        var places = problem.getErrors().stream().map(error -> ", " + error.getPointer() + " " + error.getRule());
        return problem.getStatus() + " " + problem.getType() + places.collect(Collectors.joining());
    }

    /** What is refused. */
    private interface Call {
        void make() throws ApiException;
    }

    /** Returns the problem that a call is answered. */
    private static Problem refused(Call call) throws Exception {
        try {
            call.make();
        } catch (ApiException refusal) {
            return JSON.getDefault().getMapper().readValue(refusal.getResponseBody(), Problem.class);
        }
        throw new IllegalStateException("not refused");
    }
}
