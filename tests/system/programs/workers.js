// Worker threads that compute and start programs, each waiting for its own; ends with exit code 3.
const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
const { spawn, spawnSync } = require("child_process");

const WORKERS = 4;
const PROGRAMS = 20; // each

function work(worker) {
  let failed = 0;
  let sum = 0;
  for (let i = 0; i < PROGRAMS; i++) {
    const number = worker * PROGRAMS + i;
    const done = i % 10 == 0 ? spawnSync("/bin/sh", ["-c", "exit 3"]) : spawnSync("/bin/true", [String(number)]);
    failed += done.status == 3 ? 1 : 0;
    for (let n = 0; n < 10000; n++) sum = (sum + n * number) % 1000003;
  }
  return { failed, sum };
}

function together() {
  const workers = [];
  for (let i = 0; i < WORKERS; i++)
    workers.push(
      new Promise((resolve, reject) => {
        const worker = new Worker(__filename, { workerData: i });
        worker.on("message", resolve);
        worker.on("error", reject);
      }),
    );
  return Promise.all(workers);
}

function signalled() {
  return new Promise((resolve) => {
    const child = spawn("/bin/cat");
    child.on("spawn", () => child.kill("SIGTERM"));
    child.on("exit", (code, signal) => resolve(signal));
  });
}

async function main() {
  console.log(JSON.stringify(await together()));
  console.log(await signalled());
  process.exitCode = 3;
}

if (isMainThread) main();
else parentPort.postMessage(work(workerData));
