/** A debugger that attaches to the address of its argument, lets the program go on, and ends: `node attach.js ws://…`. */
import { connect } from "./inspector-client.ts";

const inspector = await connect(new URL(process.argv[2]!));
inspector.onMessage = ({ id }) => {
  if (id === 1) process.exit();
};
inspector.send({ id: 1, method: "Runtime.runIfWaitingForDebugger" });
