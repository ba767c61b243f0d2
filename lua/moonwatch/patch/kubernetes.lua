--- Workloads of Kubernetes: the tree comes by an init container into a volume of the pod.  No capability is added, since EKS on Fargate
--- takes none: who runs as the same user may be traced without.
local document = require "moonwatch.patch.document"
local record = require "moonwatch.patch.record"
local render = require "moonwatch.patch.render"
local wrap = require "moonwatch.patch.wrap"

---@class moonwatch.patch.kubernetes
local M = {}

--- Where the template of the pod is, by kind.
local TEMPLATES = {
  Deployment = { "spec", "template" },
  StatefulSet = { "spec", "template" },
  DaemonSet = { "spec", "template" },
  ReplicaSet = { "spec", "template" },
  Job = { "spec", "template" },
  CronJob = { "spec", "jobTemplate", "spec", "template" },
  Pod = {},
}

---@class moonwatch.patch.kubernetes.Pod
---@field node moonwatch.yaml.Node  has metadata and spec
---@field name string
---@field architecture string

---@param doc moonwatch.patch.Document
---@return moonwatch.patch.kubernetes.Pod[]
function M.find(doc)
  local pods = {}
  for _, root in ipairs(doc.roots) do
    local kind = document.plain(document.get(root, "kind"))
    local path = document.get(root, "apiVersion") and TEMPLATES[kind]
    local node = path and document.find(root, table.unpack(path))
    if node and document.find(node, "spec", "containers") then
      local selector = document.find(node, "spec", "nodeSelector", "kubernetes.io/arch")
      pods[#pods + 1] = {
        node = node,
        name = ("%s %s"):format(kind, document.plain(document.find(root, "metadata", "name")) or "?"),
        architecture = document.plain(selector) or "amd64",
      }
    end
  end
  return pods
end

--- Is there anything of Kubernetes in it?
function M.is_kubernetes(doc)
  for _, root in ipairs(doc.roots) do
    if document.get(root, "apiVersion") and document.get(root, "kind") then
      return true
    end
  end
  return false
end

local function environment_items(node, options, note)
  local there = {}
  for _, item in ipairs(document.get(node, "env") or {}) do
    there[document.plain(document.get(item, "name")) or ""] = document.get(item, "value") or item
  end
  local items = {}
  for _, pair in ipairs(options.environment) do
    if not there[pair.name] then
      items[#items + 1] = { id = pair.name, value = render.map { { "name", pair.name }, { "value", pair.value } } }
    elseif document.plain(there[pair.name]) ~= pair.value then
      note(("%s is set already, and stays as it is"):format(pair.name))
    end
  end
  return items
end

local function mount(options, is_read_only)
  local members = { { "name", options.name }, { "mountPath", wrap.TREE } }
  if is_read_only then
    members[3] = { "readOnly", true }
  end
  return { id = options.name, value = render.map(members) }
end

local function wrap_container(doc, own, node, name, options, image_of, note)
  local container = {
    doc = doc, node = node, record = own:below { "spec", "containers", name }, entry_key = "command", command_key = "args",
  }
  local has_command = document.get(node, "command")
  local what
  if options.mode == "build" and not has_command then
    what = "what its image says"
  else
    what = wrap.entry(container, image_of)
  end
  if what and options.mode ~= "build" then
    wrap.items(container, { "volumeMounts" }, { mount(options, true) })
  end
  if what then
    wrap.items(container, { "env" }, environment_items(node, options, note))
  end
  return what
end

local function wrap_pod(doc, pod, options, report)
  local own = record.new()
  local spec = document.get(pod.node, "spec")
  local containers = document.get(spec, "containers")
  if containers.kind ~= "list" then
    wrap.refuse "its containers are no list"
  end
  local system = document.plain(document.find(spec, "os", "name")) or
    document.plain(document.find(spec, "nodeSelector", "kubernetes.io/os")) or "linux"
  if system ~= "linux" then
    wrap.refuse("it is for %s; moonwatch runs on Linux", system)
  elseif document.find(pod.node, "metadata", "annotations", wrap.LABEL) then
    report:leave(pod.name, "it is patched already")
    return
  end
  local count = 0
  for index, node in ipairs(containers) do
    local name = document.plain(document.get(node, "name"))
    if not name then
      report:refuse(("%s, container %d"):format(pod.name, index), "it has no name")
    elseif report:wants(name, nil) then
      local image = document.plain(document.get(node, "image"))
      report:try(name, function()
        local what = wrap_container(doc, own, node, name, options, function()
          return options.image_config(name, image, pod.architecture)
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
  if count == 0 then
    return
  end
  local whole = { doc = doc, node = pod.node, record = own }
  if options.mode ~= "build" then
    wrap.items(whole, { "spec", "initContainers" }, { { id = options.name, value = render.map {
      { "name", options.name }, { "image", options.image }, { "args", { "install", wrap.TREE } },
      { "volumeMounts", { mount(options, false).value } } } } })
    wrap.items(whole, { "spec", "volumes" }, { { id = options.name,
      value = render.map { { "name", options.name }, { "emptyDir", render.map {} } } } })
  end
  wrap.label(whole, { "metadata", "annotations" }, wrap.LABEL)
end

---@param doc moonwatch.patch.Document
---@param pods moonwatch.patch.kubernetes.Pod[]
---@param options moonwatch.patch.Options
---@param report moonwatch.patch.Report
function M.wrap(doc, pods, options, report)
  for _, pod in ipairs(pods) do
    report:try(pod.name, function()
      wrap_pod(doc, pod, options, report)
    end)
  end
end

---@param doc moonwatch.patch.Document
---@param pods moonwatch.patch.kubernetes.Pod[]
---@param report moonwatch.patch.Report
function M.undo(doc, pods, report)
  for _, pod in ipairs(pods) do
    local text = document.plain(document.find(pod.node, "metadata", "annotations", wrap.LABEL))
    if text then
      local ok, message = record.undo(doc, pod.node, text)
      if ok then
        report:done(pod.name, "as it was")
      else
        report:refuse(pod.name, message)
      end
    end
  end
end

return M
