import { writeSync } from "node:fs";
import { loadFinalizer } from "./finalizer-build.ts";

/** TensorFlow's severities, in the order of TF_CPP_MIN_LOG_LEVEL. */
const severities = "IWEF";

/**
 * A log line of TensorFlow: `I0000 00:00:1795989246.451402   10238 port.cc:153] text`, or with the date first and then the
 * severity.
 */
const logLine = /^(?:([IWEF])\d{4} [\d:.]+|\d{4}-\d\d-\d\d [\d:.]+: ([IWEF]))\s+(?:\d+ )?\S+:\d+\] /;
const logNotice = /^WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR$/;

/**
 * Loads TensorFlow's library without log lines below TF_CPP_MIN_LOG_LEVEL. The library's static initializers ignore this
 * variable, for instance for "oneDNN custom operations are on". Everything else written to stderr in the meantime is passed on
 * when `load` returns, throws, or ends the process.
 */
export function loadQuietly<T>(load: () => T): T {
  const loaded = loadFinalizer();
  if (!("addon" in loaded)) return load();
  const { addon } = loaded;
  try {
    addon.holdStderr();
  } catch {
    // There is no stderr, or no space for a temporary file. The library is loaded anyway, with its log lines.
    return load();
  }
  try {
    return load();
  } finally {
    writeStderr(withoutLog(addon.releaseStderr(), logLevel()));
  }
}

/** Reads the variable as TensorFlow does: a value that is not a number counts as 0, which shows everything. */
const logLevel = (): number => Number.parseInt(process.env.TF_CPP_MIN_LOG_LEVEL ?? "", 10) || 0;

/** Removes TensorFlow's log lines below a level from the bytes of stderr. Other lines are unchanged. */
export function withoutLog(bytes: Uint8Array, level: number): Uint8Array {
  // latin1 maps each byte to one character, so bytes that are not valid UTF-8 are preserved.
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("latin1")
    .split(/(?<=\n)/);
  const hidden = (line: string): boolean => {
    const [, severity, datedSeverity] = logLine.exec(line) ?? [];
    const found = severity ?? datedSeverity;
    return found !== undefined && severities.indexOf(found) < level;
  };
  // The continuation of a hidden message. In TensorFlow only cpu_feature_guard writes one.
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
      // A non-blocking pipe that is full at the moment.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
    }
  }
}
