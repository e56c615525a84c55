// Command story tells the story in Go: each language tells it in the same lines.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"story/tracker"
)

var (
	ctx    = context.Background()
	titles = []string{"Water the plants", "Plant a tree", "Mow the lawn"}
)

func main() {
	url, name, password := os.Args[1], os.Args[2], os.Args[3]
	goOn(begin(url, name, password))
}

// client returns a client of the server; with a token, as its user.
func client(url, token string) *tracker.APIClient {
	settings := tracker.NewConfiguration()
	settings.Servers = tracker.ServerConfigurations{{URL: url}}
	if token != "" {
		settings.AddDefaultHeader("Authorization", "Bearer "+token)
	}
	return tracker.NewAPIClient(settings)
}

// begin tells what docs/sdk.md shows; it returns a client that is logged in.
func begin(url, name, password string) *tracker.APIClient {
	// docs/sdk.md from here
	accounts := client(url, "").AccountsAPI
	ann := tracker.Registration{Username: name, Email: name + "@example.com", Password: password}
	must(accounts.RegisterUser(ctx).Registration(ann).Execute())
	tokens := must(accounts.Login(ctx).Credentials(tracker.Credentials{Email: &ann.Email, Password: password}).Execute())
	mine := client(url, tokens.AccessToken)
	task := must(mine.TasksAPI.CreateTask(ctx).TaskCreation(tracker.TaskCreation{Title: "Water the plants"}).Execute())
	seen, urgent := fmt.Sprintf(`"%d"`, task.Version), tracker.TaskPatch{Priority: tracker.PRIORITY_URGENT.Ptr()}
	update := mine.TasksAPI.UpdateTask(ctx, task.Id).IfMatch(seen).TaskPatch(urgent)
	changed := must(update.Execute())
	problem := refused(update.Execute())
	// docs/sdk.md to here
	fmt.Println(tokens.TokenType, "token")
	fmt.Printf("%s: %s, version %d\n", changed.Title, changed.Priority, changed.Version)
	fmt.Println(said(problem))
	return mine
}

// goOn tells of a project, from its first task to its log.
func goOn(mine *tracker.APIClient) {
	project := must(mine.ProjectsAPI.CreateProject(ctx).ProjectCreation(tracker.ProjectCreation{Name: "Garden"}).Execute())
	fmt.Printf("%s %s: %s\n", project.Kind, project.Name, *project.YourRole.Get())
	var ids []string
	for _, title := range titles {
		creation := tracker.TaskCreation{Title: title, ProjectId: &project.Id}
		task := must(mine.TasksAPI.CreateTask(ctx).TaskCreation(creation).Execute())
		ids = append(ids, task.Id)
	}
	turnPages(mine, project)
	beRefused(mine, project, ids[0])
	changeAll(mine, ids)
	follow(mine, project)
}

// turnPages reads the project's tasks one by one.
func turnPages(mine *tracker.APIClient, project *tracker.Project) {
	request := mine.TasksAPI.ListTasks(ctx).ProjectId(project.Id).Sort("number").Limit(1)
	for {
		page := must(request.Execute())
		for _, task := range page.Items {
			fmt.Println("page:", task.Number, task.Title)
		}
		if page.Next.Get() == nil {
			return
		}
		request = request.Cursor(*page.Next.Get())
	}
}

// beRefused asks for what cannot be had, and reads why not.
func beRefused(mine *tracker.APIClient, project *tracker.Project, id string) {
	fmt.Println(said(refused(mine.TasksAPI.GetTask(ctx, project.Id).Execute())))
	fmt.Println(said(refused(mine.TasksAPI.CreateTask(ctx).TaskCreation(tracker.TaskCreation{Title: ""}).Execute())))
	move := tracker.TaskStatusChange{Status: tracker.STATUS_DONE.Ptr()}
	done := must(mine.TasksAPI.ChangeTaskStatus(ctx, id).TaskStatusChange(move).Execute())
	fmt.Printf("%s: %s, then %s\n", done.Title, done.Status, words(done.AllowedStatuses, " "))
	move = tracker.TaskStatusChange{Status: tracker.STATUS_BLOCKED.Ptr()}
	fmt.Println(said(refused(mine.TasksAPI.ChangeTaskStatus(ctx, id).TaskStatusChange(move).Execute())))
}

// changeAll changes the tasks in one operation, and takes it back.
func changeAll(mine *tracker.APIClient, ids []string) {
	update := tracker.TaskBulkUpdate{Ids: ids, Patch: tracker.TaskPatch{Labels: []string{"garden"}}}
	result, answer, err := mine.TasksAPI.BulkUpdateTasks(ctx).TaskBulkUpdate(update).Execute()
	must(result, answer, err)
	fmt.Printf("%d changed: %s\n", result.Changed, strings.Join(result.Items[0].Labels, " "))
	undone := must(mine.ChangesAPI.UndoOperation(ctx, answer.Header.Get("Operation-Id")).Execute())
	fmt.Println(undone.Undone, "undone")
}

// follow reads the log of the project, each change as what it is.
func follow(mine *tracker.APIClient, project *tracker.Project) {
	log := must(mine.ChangesAPI.ListChanges(ctx, project.Id).After(0).Execute())
	for _, change := range log.Items {
		fmt.Println(became(change))
	}
}

// became returns what a change made of what, and where in the log.
func became(change tracker.Change) string {
	switch one := change.GetActualInstance().(type) {
	case *tracker.TaskChange:
		both := inWords(one.Before.Get()) + " -> " + inWords(one.After.Get())
		return fmt.Sprintf("%d.%d %s: %s", one.Head, one.N, one.Entity, both)
	case *tracker.ProjectChange:
		return fmt.Sprintf("%d.%d %s: %s", one.Head, one.N, one.Entity, one.After.Get().Name)
	case *tracker.MembershipChange:
		return fmt.Sprintf("%d.%d %s: %s", one.Head, one.N, one.Entity, one.After.Get().Role)
	case *tracker.ReminderChange:
		return fmt.Sprintf("%d.%d %s: %s", one.Head, one.N, one.Entity, one.After.Get().Kind)
	}
	panic("a change of another kind")
}

// inWords returns a task in some words.
func inWords(task *tracker.Task) string {
	if task == nil {
		return "nothing"
	}
	return fmt.Sprintf("%s (%s)", task.Title, strings.Join(append([]string{string(task.Status)}, task.Labels...), ", "))
}

// said returns what a problem says.
func said(problem tracker.Problem) string {
	text := fmt.Sprint(problem.Status, " ", problem.Type)
	for _, place := range problem.Errors {
		text += fmt.Sprintf(", %s %s", place.GetPointer(), place.Rule)
	}
	return text
}

// refused returns the problem that a call is answered.
func refused[T any](_ T, _ *http.Response, err error) tracker.Problem {
	var refusal *tracker.GenericOpenAPIError
	if !errors.As(err, &refusal) {
		panic(fmt.Sprint("not refused: ", err))
	}
	return refusal.Model().(tracker.Problem)
}

// must returns what a call is answered, unless it is refused.
func must[T any](answer T, _ *http.Response, err error) T {
	if err != nil {
		panic(err)
	}
	return answer
}

func words(statuses []tracker.Status, between string) string {
	var all []string
	for _, status := range statuses {
		all = append(all, string(status))
	}
	return strings.Join(all, between)
}
