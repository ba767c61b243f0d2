---@meta moonwatch.environment

--- What AWS and ECS tell a container.
local environment = {}

--- A variable that begins with AWS_ or ECS_, FLUENT_HOST, FLUENT_PORT, HOSTNAME; nil when it is not set, or empty.
---@param name string
---@return string?
function environment.get(name) end

--- Of this host, as uname(2) says.
---@return string
function environment.hostname() end

return environment
