// The application of the node image; what it says is to be the same with the sensor and without.
'use strict';
const { spawnSync } = require('child_process');
const fs = require('fs');

console.log('argv', process.argv);
console.log('pid', process.pid, 'ppid', process.ppid, 'ids', process.getuid(), process.getgid(), process.getgroups());
console.log('cwd', process.cwd(), 'umask', process.umask());
for (const name of Object.keys(process.env)) {
  console.log('env', name, process.env[name]);
}
console.log(
  fs.readFileSync('/proc/self/status', 'utf8').split('\n').filter((line) => /^(Cap|NoNew|Seccomp:|SigIgn|SigCgt)/.test(line)).join('\n'),
);
for (const mark of ['marked0', 'marked1', 'marked2']) {
  const done = spawnSync('/bin/sh', ['-c', 'echo child $0 >&2; exit 3', mark], { stdio: 'inherit' });
  console.log('child', mark, done.status, done.signal);
}
process.on('SIGTERM', (name, number) => {
  console.log('signal', number);
  process.exitCode = 42;
  clearInterval(timer);
});
const timer = setInterval(() => {}, 1000);
console.log('ready');
