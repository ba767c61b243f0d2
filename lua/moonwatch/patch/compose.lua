--- Files of Docker Compose: its services.
local document = require "moonwatch.patch.document"
local record = require "moonwatch.patch.record"
local render = require "moonwatch.patch.render"
local words = require "moonwatch.patch.words"
local wrap = require "moonwatch.patch.wrap"

---@class moonwatch.patch.compose
local M = {}

---@param doc moonwatch.patch.Document
---@return moonwatch.yaml.Node? services
function M.find(doc)
  local root = doc.roots[1]
  local services = document.get(root, "services")
  if services and services.kind == "map" and not document.get(root, "kind") then
    return services
  end
end

local function split(text)
  local list, message = words.split(text)
  return list or wrap.refuse("its command has %s", message)
end

--- Labels and variables may be a map, or a list of NAME=VALUE.
local function has_name(node, name)
  for _, item in ipairs(node and node.kind == "list" and node or {}) do
    if (item.text or ""):match "^[^=]*" == name then
      return item.text:match "=(.*)$"
    end
  end
  local value = document.get(node, name)
  return value and (value.text or "")
end

local function set_environment(container, options, note)
  local node = document.get(container.node, "environment")
  local missing = {}
  for _, pair in ipairs(options.environment) do
    local there = has_name(node, pair.name)
    if not there then
      missing[#missing + 1] = pair
    elseif there ~= pair.value then
      note(("%s is set already, and stays as it is"):format(pair.name))
    end
  end
  if #missing == 0 then
    return
  elseif node and node.kind == "map" then
    for _, pair in ipairs(missing) do
      container.record:made { "environment", pair.name }
      container.doc:set(node, pair.name, pair.value)
    end
    return
  end
  local items = {}
  for i, pair in ipairs(missing) do
    local line = pair.name .. "=" .. pair.value
    items[i] = { id = line, value = line }
  end
  wrap.items(container, { "environment" }, items)
end

local function set_label(container)
  local node = document.get(container.node, "labels")
  if node and node.kind == "list" then
    -- What the item says has itself in it: it is known by what it begins with.
    container.record:made { "labels", wrap.LABEL }
    container.doc:append(node, wrap.LABEL .. "=" .. container.record:text())
  else
    wrap.label(container, { "labels" }, wrap.LABEL)
  end
end

local CONDITIONS = { sidecar = "service_started", volume = "service_completed_successfully" }

local function depend(container, options)
  local node = document.get(container.node, "depends_on")
  local condition = render.map { { "condition", CONDITIONS[options.mode] } }
  if not node or node.kind == "map" then
    if node and document.get(node, options.name) then
      return
    end
    container.record:made(node and { "depends_on", options.name } or { "depends_on" })
    container.doc:set(node or container.node, node and options.name or "depends_on",
      node and condition or render.map { { options.name, condition } })
  elseif options.mode == "sidecar" then
    wrap.items(container, { "depends_on" }, { { id = options.name, value = options.name } })
  else
    -- Only the long form can wait for an end.
    local all = {}
    for i, item in ipairs(node) do
      all[i] = { item.text, render.map { { "condition", "service_started" } } }
    end
    all[#all + 1] = { options.name, condition }
    container.record:replaced({ "depends_on" }, container.doc:slice(node):gsub("%s+$", ""))
    container.doc:replace(node, render.map(all))
  end
end

local function wrap_service(doc, node, options, image_of, note)
  if has_name(document.get(node, "labels"), wrap.LABEL) then
    return nil
  elseif document.get(node, "<<") and not document.get(node, "entrypoint") and not document.get(node, "command") then
    wrap.refuse "it is merged (<<) from an anchor; write its entrypoint or command out"
  elseif (document.plain(document.get(node, "platform")) or ""):find "^windows" then
    wrap.refuse "it is for Windows"
  end
  local container = {
    doc = doc, node = node, record = record.new(), entry_key = "entrypoint", command_key = "command", split = split,
  }
  local what
  if options.mode == "build" and not document.get(node, "entrypoint") then
    what = "what its image says"
  else
    what = wrap.entry(container, image_of)
  end
  if not what then
    return nil
  end
  wrap.items(container, { "cap_add" }, { { id = "SYS_PTRACE", value = "SYS_PTRACE" } })
  if options.mode == "sidecar" then
    local source = options.name .. ":ro"
    wrap.items(container, { "volumes_from" }, { { id = source, value = source } })
  elseif options.mode == "volume" then
    local mount = ("%s:%s:ro"):format(options.name, wrap.TREE)
    wrap.items(container, { "volumes" }, { { id = mount, value = mount } })
  end
  if options.mode ~= "build" then
    depend(container, options)
  end
  set_environment(container, options, note)
  set_label(container)
  return what
end

local function sidecar(doc, services, options)
  local own = record.new()
  local members = { { "image", options.image } }
  if options.mode == "volume" then
    local root = { doc = doc, node = doc.roots[1], record = own }
    local volumes = document.get(root.node, "volumes")
    if not document.get(volumes, options.name) then
      own:made(volumes and { "volumes", options.name } or { "volumes" })
      doc:set(volumes or root.node, volumes and options.name or "volumes",
        volumes and render.map {} or render.map { { options.name, render.map {} } })
    end
    members[#members + 1] = { "command", { "install", wrap.TREE } }
    members[#members + 1] = { "volumes", { options.name .. ":" .. wrap.TREE } }
  else
    members[#members + 1] = { "command", { "version" } }
  end
  members[#members + 1] = { "labels", render.map { { wrap.LABEL, own:text() } } }
  doc:set(services, options.name, render.map(members))
end

---@param doc moonwatch.patch.Document
---@param services moonwatch.yaml.Node
---@param options moonwatch.patch.Options
---@param report moonwatch.patch.Report
function M.wrap(doc, services, options, report)
  local count, has_sidecar = 0, false
  for _, pair in ipairs(services) do
    local name, node = pair.key.text, pair.value
    if name == options.name then
      has_sidecar = has_name(document.get(node, "labels"), wrap.LABEL) ~= nil
      if not has_sidecar and options.mode ~= "build" then
        report:refuse(name, "a service of this name is there already, and is not ours; choose another with --name")
      end
    elseif node.kind == "map" and report:wants(name, nil) then
      local image = document.plain(document.get(node, "image"))
      local platform = document.plain(document.get(node, "platform")) or ""
      report:try(name, function()
        local what = wrap_service(doc, node, options, function()
          return options.image_config(name, image, platform:match "^linux/(%w+)" or "amd64")
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
    elseif node.kind ~= "map" then
      report:leave(name, "it is no map")
    end
  end
  if count > 0 and options.mode ~= "build" and not has_sidecar then
    sidecar(doc, services, options)
  end
end

---@param doc moonwatch.patch.Document
---@param services moonwatch.yaml.Node
---@param report moonwatch.patch.Report
function M.undo(doc, services, report)
  for index, pair in ipairs(services) do
    local node = pair.value
    local text = has_name(document.get(node, "labels"), wrap.LABEL)
    local is_ours = text and not text:find " [<~+]entrypoint" and not text:find " [+>]cap_add"
    if is_ours then
      record.undo(doc, doc.roots[1], text)
      doc:remove(services, index)
      report:done(pair.key.text, "taken away")
    elseif text then
      local ok, message = record.undo(doc, node, text)
      if ok then
        report:done(pair.key.text, "as it was")
      else
        report:refuse(pair.key.text, message)
      end
    end
  end
end

return M
