-- The load. Request n is for user n mod 64, and for that user's next task: two requests that are under way at the same
-- time are for different users, so that nobody waits for a lock of somebody else and nobody is beaten to a version.
-- Arguments: the operation, and a file with a line for each user: name, password (with _ for a space), token, the ETag of
-- their page, the ids of the tasks.

local users, asked, operation = {}, 0, nil

local function status_of(round)
  return round % 2 == 0 and "in_progress" or "todo"
end

local function page(user)
  return wrk.format("GET", "/tasks?limit=50", user.headers)
end

local requests = {
  get = function(user, turn)
    return wrk.format("GET", "/tasks/" .. user.tasks[turn % #user.tasks + 1], user.headers)
  end,
  list = page,
  remembered = page,
  unchanged = page,
  create = function(user, turn)
    local body = '{"title":"Order the paint, tin ' .. turn .. '","description":"Two litres of the blue one, and a brush.",'
      .. '"priority":"high","labels":["house","paint"],"due":{"date":"2027-03-01"}}'
    return wrk.format("POST", "/tasks", user.headers, body)
  end,
  status = function(user, turn)
    local task = user.tasks[turn % #user.tasks + 1]
    local body = '{"status":"' .. status_of(math.floor(turn / #user.tasks)) .. '"}'
    return wrk.format("PATCH", "/tasks/" .. task .. "/status", user.headers, body)
  end,
  login = function(user)
    return wrk.format("POST", "/login", { ["Content-Type"] = "application/json" }, user.credentials)
  end,
}

-- A mixed day: of 20 requests 14 lists, 3 tasks, 2 changes of status and 1 new task. Each user does all of these in turn
-- (7 and 20 have no divisor in common), and changes a task the second time 200 turns later, the other way.
local of_a_day = {
  "list", "get", "list", "list", "status", "list", "list", "get", "list", "list",
  "create", "list", "list", "get", "list", "status", "list", "list", "list", "list",
}

function requests.day(user, turn, number)
  return requests[of_a_day[(7 * turn + number) % #of_a_day + 1]](user, turn)
end

function init(args)
  operation = requests[args[1]]
  for line in io.lines(args[2]) do
    local words = {}
    for word in line:gmatch("%S+") do
      words[#words + 1] = word
    end
    local name = table.remove(words, 1)
    local password = table.remove(words, 1):gsub("_", " ")
    local token = table.remove(words, 1)
    local tag = table.remove(words, 1)
    local headers = { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" }
    if args[1] == "unchanged" then
      headers["If-None-Match"] = tag
    end
    local credentials = '{"username":"' .. name .. '","password":"' .. password .. '"}'
    users[#users + 1] = { headers = headers, tasks = words, credentials = credentials }
  end
end

function request()
  local number, turn = asked % #users, math.floor(asked / #users)
  asked = asked + 1
  return operation(users[number + 1], turn, number)
end

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    "\n{\"requests\": %d, \"microseconds\": %d, \"p50\": %d, \"p99\": %d, \"refused\": %d, \"broken\": %d}\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status, broken))
end
