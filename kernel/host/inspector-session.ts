import inspector from "node:inspector";
import { withoutToJson } from "./to-json.ts";

/** A session of V8's inspector of this thread, and how to post to it: both are as they are before a cell runs, which may replace them. */
export function openInspector<Post extends (method: string, params: object, done: never) => void>() {
  const session = new inspector.Session();
  session.connect();
  const post = session.post.bind(session) as unknown as Post;
  const disconnect = () => session.disconnect();
  return { disconnect, post: ((method, params, done) => withoutToJson(() => post(method, params, done))) as Post };
}
