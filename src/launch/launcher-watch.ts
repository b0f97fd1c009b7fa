// A thread of a worker. A worker whose launcher was killed would train on, with nobody to stop it; its main thread may be in an exchange.
const launcher = process.ppid;
setInterval(() => {
  if (process.ppid !== launcher) process.kill(process.pid, "SIGKILL");
}, 1000);
