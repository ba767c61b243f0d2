local match = require "moonwatch.match"

local endings = { ".php", ".phtml", ".phar", ".php5", ".php7", ".jsp", ".jspx", ".war", ".asp", ".aspx", ".cgi", ".pl",
  ".py" }

return {
  id = "web_script",
  summary = "Script put where a web server runs it",
  why = "The pages of a container come with its image; a script made later is what an upload through a hole leaves.",
  on = { "file.create", "file.modify", "file.rename", "file.link", "file.symlink" },
  severity = "high",
  attack = { "T1505.003" },
  message = "{file.path} was written by {process.cmdline}",
  false_positives = { "Applications that update themselves, or compile templates into a folder of their web root that has another name" },
  where = { categories = "web", is = "written" },
  match = function(event)
    for _, ending in ipairs(endings) do
      if match.ends(event.file.path, ending) then
        return true
      end
    end
    return false
  end,
  exceptions = { { reason = "templates are compiled there", paths = { "*/var/cache/*", "*/storage/framework/views/*",
    "*/bootstrap/cache/*", "*/templates_c/*", "*/wp-content/cache/*", "*/__pycache__/*" } } },
  examples = {
    { expect = true, event = { kind = "file.modify", file = { path = "/var/www/html/up.php", category = "web",
      closed = true, found_by = "inotify" } } },
    { expect = true, event = { kind = "file.rename", file = { path = "/srv/www/x.jsp", old_path = "/srv/www/x.tmp",
      category = "web" } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/var/www/html/up.png", category = "web",
      closed = true, found_by = "inotify" } } },
    { expect = false, event = { kind = "file.rename", file = { path = "/var/www/app/var/cache/prod/twig/a.php", category = "web",
      old_path = "/var/www/app/var/cache/prod/twig/a" } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/root/a.php", closed = true,
      found_by = "inotify" } } },
  },
}
