--- Task definitions of ECS: as register-task-definition takes them and describe-task-definition gives them, as the list that Terraform
--- has in container_definitions, and as AWS::ECS::TaskDefinition in templates of CloudFormation.
local document = require "moonwatch.patch.document"
local record = require "moonwatch.patch.record"
local render = require "moonwatch.patch.render"
local wrap = require "moonwatch.patch.wrap"

---@class moonwatch.patch.ecs
local M = {}

--- Of a definition that is to be registered: "The maximum size of a task definition", in bytes.
local MAX_DEFINITION_BYTES = 64 << 10

--- What describe-task-definition tells of a definition, and register-task-definition refuses.
local READ_ONLY = { "taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt",
  "registeredBy", "deregisteredAt" }

--- Others' helpers, by a part of their image's name: they are left alone unless they are named.
local HELPERS = { "aws%-for%-fluent%-bit", "fluent%-bit", "fluentd", "aws%-otel%-collector", "opentelemetry%-collector", "xray%-daemon",
  "cloudwatch%-agent", "appmesh%-envoy", "aws%-appmesh", "service%-connect", "guardduty", "datadog/agent", "datadog%-agent",
  "newrelic", "sysdig", "falco", "lacework", "aqua%-", "dynatrace", "splunk", "vector:" }

---@class moonwatch.patch.ecs.Task
---@field node moonwatch.yaml.Node
---@field containers moonwatch.yaml.Node
---@field name string
---@field spell fun(name: string): string
---@field is_template boolean  of CloudFormation

local function camel(name)
  return name
end

local function pascal(name)
  return (name:gsub("^%l", string.upper))
end

--- The answer of describe-task-definition as what register-task-definition takes; other texts as they are.
---@param doc moonwatch.patch.Document
---@return moonwatch.patch.Document
function M.unwrap(doc)
  local root = doc.roots[1]
  local inner = document.get(root, "taskDefinition")
  if doc.is_json and inner and document.get(inner, "containerDefinitions") then
    local text = doc:slice(inner)
    local indent = doc.text:sub(1, inner.from):match "\n([ \t]*)[^\n]*$"
    if indent and indent ~= "" then
      text = text:gsub("\n" .. indent, "\n")
    end
    doc = assert(document.read(text .. "\n"))
    root = doc.roots[1]
  end
  if not document.get(root, "containerDefinitions") then
    return doc
  end
  local is_stripped = false
  for _, name in ipairs(READ_ONLY) do
    local _, index = document.get(root, name)
    if index then
      doc:remove(root, index)
      is_stripped = true
    end
  end
  return is_stripped and assert(document.read(doc:result())) or doc
end

--- The task definitions in a document; none when it is of another kind.
---@param doc moonwatch.patch.Document
---@return moonwatch.patch.ecs.Task[]
function M.find(doc)
  local tasks = {}
  local root = doc.roots[1]
  if root.kind == "list" and #root > 0 and document.get(root[1], "image") and document.get(root[1], "name") then
    tasks[1] = { node = nil, containers = root, name = "container definitions", spell = camel }
  elseif document.get(root, "containerDefinitions") then
    tasks[1] = {
      node = root,
      containers = document.get(root, "containerDefinitions"),
      name = document.plain(document.get(root, "family")) or "task definition",
      spell = camel,
    }
  end
  local resources = document.get(root, "Resources")
  for _, pair in ipairs(resources and resources.kind == "map" and resources or {}) do
    if document.plain(document.get(pair.value, "Type")) == "AWS::ECS::TaskDefinition" then
      local properties = document.get(pair.value, "Properties")
      tasks[#tasks + 1] = {
        node = properties,
        containers = document.get(properties, "ContainerDefinitions"),
        name = pair.key.text,
        spell = pascal,
        is_template = true,
      }
    end
  end
  return tasks
end

local function platform_of(task)
  local platform = document.get(task.node, task.spell "runtimePlatform")
  local system = document.plain(document.get(platform, task.spell "operatingSystemFamily")) or ""
  if system:find "^WINDOWS" then
    wrap.refuse("it is for Windows (%s); moonwatch runs on Linux", system)
  end
  return document.plain(document.get(platform, task.spell "cpuArchitecture")) == "ARM64" and "arm64" or "amd64"
end

local function helper_of(task, node)
  if document.get(node, task.spell "firelensConfiguration") then
    return "the log router of FireLens"
  end
  local image = document.plain(document.get(node, task.spell "image")) or ""
  for _, pattern in ipairs(HELPERS) do
    if image:find(pattern) then
      return "somebody else's helper"
    end
  end
end

-- The sensor's own container.
local function sidecar(doc, task, options)
  local s = task.spell
  local own = record.new()
  local members = {
    { s "name", options.name },
    { s "image", options.image },
    { s "essential", false },
  }
  local task_item = { doc = doc, node = task.node, record = own }
  if options.mode == "volume" then
    wrap.items(task_item, { s "volumes" }, { { id = options.name, value = render.map { { s "name", options.name } } } })
    members[#members + 1] = { s "command", { "install", wrap.TREE } }
    members[#members + 1] = { s "mountPoints", { render.map {
      { s "sourceVolume", options.name }, { s "containerPath", wrap.TREE }, { s "readOnly", false } } } }
  else
    members[#members + 1] = { s "command", { "version" } }
  end
  if not document.get(task.node, s "memory") and task.node then
    members[#members + 1] = { s "memory", 64 }
  end
  members[#members + 1] = { s "dockerLabels", render.map { { wrap.LABEL, own:text() } } }
  doc:append(task.containers, render.map(members))
end

local function environment_items(task, node, options, note)
  local s = task.spell
  local there = {}
  for _, item in ipairs(document.get(node, s "environment") or {}) do
    there[document.plain(document.get(item, s "name")) or ""] = document.get(item, s "value")
  end
  for _, item in ipairs(document.get(node, s "secrets") or {}) do
    there[document.plain(document.get(item, s "name")) or ""] = item
  end
  local items = {}
  for _, pair in ipairs(options.environment) do
    local value = there[pair.name]
    if not value then
      items[#items + 1] = {
        id = pair.name, value = render.map { { s "name", pair.name }, { s "value", pair.value } },
      }
    elseif document.plain(value) ~= pair.value then
      note(("%s is set already, and stays as it is"):format(pair.name))
    end
  end
  return items
end

local function wrap_container(doc, task, node, options, image_of, note)
  local s = task.spell
  if document.find(node, s "dockerLabels", wrap.LABEL) then
    return nil
  end
  local capabilities = document.find(node, s "linuxParameters", s "capabilities")
  for _, dropped in ipairs(document.get(capabilities, s "drop") or {}) do
    if dropped.text == "SYS_PTRACE" then
      wrap.refuse "it drops SYS_PTRACE, without which processes are seen now and then only; take that out first"
    end
  end
  local container = {
    doc = doc,
    node = node,
    record = record.new(),
    entry_key = s "entryPoint",
    command_key = s "command",
  }
  local has_entry = document.get(node, s "entryPoint")
  local what
  if options.mode == "build" and (not has_entry or document.is_null(has_entry)) then
    what = "what its image says"
  else
    what = wrap.entry(container, image_of)
  end
  if not what then
    return nil
  end
  wrap.items(container, { s "linuxParameters", s "capabilities", s "add" }, { { id = "SYS_PTRACE", value = "SYS_PTRACE" } })
  if options.mode == "sidecar" then
    wrap.items(container, { s "volumesFrom" }, { { id = options.name,
      value = render.map { { s "sourceContainer", options.name }, { s "readOnly", true } } } })
  elseif options.mode == "volume" then
    wrap.items(container, { s "mountPoints" }, { { id = options.name, value = render.map {
      { s "sourceVolume", options.name }, { s "containerPath", wrap.TREE }, { s "readOnly", true } } } })
  end
  if options.mode ~= "build" then
    wrap.items(container, { s "dependsOn" }, { { id = options.name, value = render.map {
      { s "containerName", options.name }, { s "condition", options.mode == "volume" and "SUCCESS" or "START" } } } })
  end
  wrap.items(container, { s "environment" }, environment_items(task, node, options, note))
  wrap.label(container, { s "dockerLabels" }, wrap.LABEL)
  return what
end

local function check_size(doc, task)
  if task.is_template then
    return
  end
  -- Without the blanks between values, which are not counted.
  local bytes = #doc:result():gsub("\n%s*", ""):gsub('": ', '":')
  if bytes > MAX_DEFINITION_BYTES then
    wrap.refuse("it would have %d bytes, and ECS takes %d", bytes, MAX_DEFINITION_BYTES)
  end
end

---@param doc moonwatch.patch.Document
---@param task moonwatch.patch.ecs.Task
---@param options moonwatch.patch.Options
---@param report moonwatch.patch.Report
function M.wrap(doc, task, options, report)
  if not task.containers or task.containers.kind ~= "list" or task.containers.tag then
    report:refuse(task.name, "its containers are computed, so what they will be is not known here")
    return
  end
  local architecture
  if not report:try(task.name, function()
    architecture = platform_of(task)
    if options.mode == "volume" and not task.node then
      wrap.refuse "volumes are declared outside of this list; use --mode=sidecar"
    end
  end) then
    return
  end
  local count = 0
  local has_sidecar = false
  for index, node in ipairs(task.containers) do
    local name = document.plain(document.get(node, task.spell "name")) or ("#%d"):format(index)
    local labels = document.get(node, task.spell "dockerLabels")
    if name == options.name then
      has_sidecar = document.get(labels, wrap.LABEL) ~= nil
      if not has_sidecar and options.mode ~= "build" then
        report:refuse(name, "a container of this name is there already, and is not ours; choose another with --name")
      end
    elseif node.kind ~= "map" or node.tag or document.get(node, "Fn::If") then
      report:leave(name, "it is computed")
    elseif report:wants(name, helper_of(task, node)) then
      local image = document.plain(document.get(node, task.spell "image"))
      report:try(name, function()
        local what = wrap_container(doc, task, node, options, function()
          return options.image_config(name, image, architecture)
        end, function(line)
          report:leave(name, line)
        end)
        if what then
          count = count + 1
          report:done(name, what)
        else
          report:leave(name, "the sensor stands before its command already")
        end
      end)
    end
  end
  if count > 0 and options.mode ~= "build" and not has_sidecar then
    report:try(task.name, function()
      sidecar(doc, task, options)
      check_size(doc, task)
    end)
  end
end

---@param doc moonwatch.patch.Document
---@param task moonwatch.patch.ecs.Task
---@param report moonwatch.patch.Report
function M.undo(doc, task, report)
  for index, node in ipairs(task.containers and task.containers.kind == "list" and task.containers or {}) do
    local s = task.spell
    local name = document.plain(document.get(node, s "name")) or ("#%d"):format(index)
    local text = document.plain(document.get(document.get(node, s "dockerLabels"), wrap.LABEL))
    local command = document.get(node, s "command")
    local is_ours = document.plain(document.get(node, s "essential")) == "false" and command and command.kind == "list" and
      command[1] and (command[1].text == "install" or command[1].text == "version")
    if text and is_ours and not text:find " [<~+]entryPoint" and not text:find " [<~+]EntryPoint" then
      if task.node then
        record.undo(doc, task.node, text)
      end
      doc:remove(task.containers, index)
      report:done(name, "taken away")
    elseif text then
      local ok, message = record.undo(doc, node, text)
      if ok then
        report:done(name, "as it was")
      else
        report:refuse(name, message)
      end
    end
  end
end

return M
