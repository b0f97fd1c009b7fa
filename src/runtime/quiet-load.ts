import { writeSync } from "node:fs";
import { loadFinalizer } from "./finalizer-build.ts";

/** TensorFlow's severities, in the order in which TF_CPP_MIN_LOG_LEVEL counts them. */
const severities = "IWEF";

/** A log line of TensorFlow: `I0000 00:00:1795989246.451402   10238 port.cc:153] text`, or with a date in front and the severity after it. */
const logLine = /^(?:([IWEF])\d{4} [\d:.]+|\d{4}-\d\d-\d\d [\d:.]+: ([IWEF]))\s+(?:\d+ )?\S+:\d+\] /;
const logNotice = /^WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR$/;

/**
 * Loads TensorFlow's library without the log lines that its static initializers write below TF_CPP_MIN_LOG_LEVEL, which
 * they do not heed: on a CPU where oneDNN is on by default, "oneDNN custom operations are on". All else that is written
 * to stderr meanwhile is passed on when `load` returns, throws, or ends the process.
 */
export function loadQuietly<T>(load: () => T): T {
  const loaded = loadFinalizer();
  if (!("addon" in loaded)) return load();
  const { addon } = loaded;
  try {
    addon.holdStderr();
  } catch {
    // There is no stderr, or no room for a temporary file: the lines are no reason not to load.
    return load();
  }
  try {
    return load();
  } finally {
    writeStderr(withoutLog(addon.releaseStderr(), logLevel()));
  }
}

/** As TensorFlow reads the variable: what is no number is 0, which shows everything. */
const logLevel = (): number => Number.parseInt(process.env.TF_CPP_MIN_LOG_LEVEL ?? "", 10) || 0;

/** What is left of stderr's bytes without TensorFlow's log lines below a level; other lines stay byte for byte. */
export function withoutLog(bytes: Uint8Array, level: number): Uint8Array {
  // One character a byte: what is no UTF-8 must stay what it is.
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("latin1")
    .split(/(?<=\n)/);
  const hidden = (line: string): boolean => {
    const [, severity, datedSeverity] = logLine.exec(line) ?? [];
    const found = severity ?? datedSeverity;
    return found !== undefined && severities.indexOf(found) < level;
  };
  // The continuation of a hidden message: TensorFlow's only one is cpu_feature_guard's.
  const continued = (line: string, before: string | undefined): boolean =>
    before !== undefined &&
    hidden(before) &&
    /cpu_feature_guard/.test(before) &&
    /^To enable the following instructions: /.test(line);
  const left = lines.filter((line, i) => !hidden(line) && !continued(line, lines[i - 1]));
  const keepsLog = left.some((line) => logLine.test(line));
  return Buffer.from(left.filter((line) => keepsLog || !logNotice.test(line.trimEnd())).join(""), "latin1");
}

function writeStderr(bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(2, bytes, done);
    } catch (error) {
      // A pipe that is full for the moment, in non-blocking mode.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
    }
  }
}
