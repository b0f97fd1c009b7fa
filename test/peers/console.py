"""Drives jupyter console in a terminal, as a person does: several lines, completion, input, Stop."""

import os
import sys

import pexpect

console = pexpect.spawn(
    os.path.join(os.path.dirname(sys.executable), "jupyter"),
    ["console", "--kernel", "halftone"],
    env={**os.environ, "TERM": "xterm"},
    encoding="utf8",
    timeout=30,
    dimensions=(40, 100),
)
console.logfile_read = sys.stdout


def say(line, answer):
    console.send(line + "\r")
    console.expect(answer)


console.expect(r"TypeScript on Node\.js")
console.expect(r"In \[")
# The console asks is_complete after each line, and goes on until the function is whole.
console.send("const twice = (x: number) => {\r")
console.expect(r"\.\.\.:")
say("return x * 2\r}", r"In \[")
say("twice(21)", r"Out\[.*42")
console.send("Math.hyp\t")
console.expect("ot")
say("(3, 4)", r"Out\[.*5")
# The console takes the end of its own is_complete request for the cell's where the cell's first message comes 50 ms later, as on a
# busy machine, and then waits for the cell's end without looking for what it asks.
for _ in range(3):
    console.send("`hello ${await input('Wh' + 'o? ')}`\r")
    if console.expect([r"Who\? ", pexpect.TIMEOUT], timeout=10) == 0:
        break
    console.sendintr()
    console.expect(r"In \[")
say("Ada", "hello Ada")
console.send("console.log('o' + 'n'); while (true) {}\r")
console.expect("on\\s")
console.sendintr()
console.expect("KeyboardInterrupt")
say("twice(4)", r"Out\[.*8")
console.close(force=True)
