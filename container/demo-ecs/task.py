"""A task definition of ECS, run by podman: what the agent of ECS makes of one, as far as ours say it."""
import json
import os
import subprocess

# What has no meaning here, or is ECS's own: all containers share one network, which is there already; logs are podman's.
OF_NO_USE = {"name", "image", "essential", "portMappings", "dockerLabels", "logConfiguration", "dependsOn", "cpu", "systemControls"}


class Task:
    def __init__(self, podman, definition, agent, options):
        self.podman_command, self.definition, self.agent, self.options = podman, definition, agent, options
        self.containers = {container["name"]: container for container in definition["containerDefinitions"]}
        self.role = None  # keys of the task role
        self.started = []

    def podman(self, *words, check=True, timeout=60):
        done = subprocess.run([*self.podman_command, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=timeout)
        if check and done.returncode:
            raise RuntimeError(f"podman {words[0]}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    def arguments(self, container):
        """Of `podman create`, for one container of the definition, and its command."""
        left = {key: value for key, value in container.items() if key not in OF_NO_USE and value not in (None, [], {}, "", 0)}
        words = ["--name", container["name"], *self.options, "--memory", self.definition["memory"] + "m",
                 "--cpus", str(int(self.definition["cpu"]) / 1024)]
        image_id = self.podman("image", "inspect", "--format", "{{.Id}}", container["image"])
        variables = {item["name"]: item["value"] for item in left.pop("environment", [])}
        variables.update(self.agent.add(container["name"], container["image"], image_id))
        if self.role:
            variables.update(self.agent.give_role(self.role))
        for name, value in variables.items():
            words += ["--env", f"{name}={value}"]
        if "entryPoint" in left:
            words += ["--entrypoint", json.dumps(left.pop("entryPoint"))]
        for source in left.pop("volumesFrom", []):
            words += ["--volumes-from", source["sourceContainer"] + (":ro" if source.get("readOnly") else "")]
        for mount in left.pop("mountPoints", []):
            words += ["--volume", f"{mount['sourceVolume']}:{mount['containerPath']}" + (":ro" if mount.get("readOnly") else "")]
        capabilities = left.pop("linuxParameters", {}).get("capabilities", {})
        for name in capabilities.get("add", []):
            words += ["--cap-add", name]
        for name in capabilities.get("drop", []):
            words += ["--cap-drop", name]
        if left.pop("readonlyRootFilesystem", False):
            words.append("--read-only")
        if "user" in left:
            words += ["--user", left.pop("user")]
        if "stopTimeout" in left:
            words += ["--stop-timeout", str(left.pop("stopTimeout"))]
        command = left.pop("command", [])
        if left:
            raise RuntimeError(f"the definition says what cannot be played here: {', '.join(sorted(left))}")
        return words, [container["image"], *command]

    def start(self):
        """Each container when what it depends on has come so far."""
        waiting = dict(self.containers)
        while waiting:
            for name, container in waiting.items():
                first = {item["containerName"] for item in container.get("dependsOn", [])}
                first |= {item["sourceContainer"] for item in container.get("volumesFrom", [])}
                if not first & waiting.keys():
                    break
            else:
                raise RuntimeError("its containers wait for each other")
            for item in container.get("dependsOn", []):
                self.await_condition(item["containerName"], item["condition"])
            words, command = self.arguments(container)
            self.podman("create", *words, *command)
            self.podman("start", name)
            self.started.append(name)
            del waiting[name]

    def await_condition(self, name, condition):
        if condition in ("COMPLETE", "SUCCESS"):
            code = self.end_of(name)
            if condition == "SUCCESS" and code:
                raise RuntimeError(f"{name} ended with {code}: {self.log(name)}")
        elif condition != "START":
            raise RuntimeError(f"nobody looks here whether {name} is {condition}")

    def end_of(self, name):
        """Its exit code, once it has ended."""
        code = int(self.podman("wait", name))
        self.agent.ended(name, code)
        return code

    def state(self, name, template):
        return self.podman("container", "inspect", "--format", template, name)

    def log(self, name):
        done = subprocess.run([*self.podman_command, "logs", name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=20)
        return done.stdout.strip()

    def process(self, name):
        """Of its first process: its command line, and the program that traces it."""
        pid = self.state(name, "{{.State.Pid}}")
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
            command = file.read().replace("\0", " ").strip()
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            tracer = next(line.split()[1] for line in file if line.startswith("TracerPid"))
        return command, os.readlink(f"/proc/{tracer}/exe") if tracer != "0" else None
