import { existsSync, readdirSync, statfsSync } from "node:fs";
import path from "node:path";
import { listFiles, modelInfo } from "@huggingface/hub";
import { formatBytes } from "../../base/bytes.ts";
import { makeFolder } from "../../base/folders.ts";
import { listNames } from "../../base/list-names.ts";
import { isCommit, ModelCache } from "./cache.ts";
import { downloadBlob, type HubFile, type Source } from "./download.ts";
import { cacheRefusal, HubError } from "./errors.ts";
import { type HubProgress, shownProgress } from "./progress.ts";
import { fetchFor, type Hub, hubOf } from "./request.ts";

/** Options of `hubSnapshot`. */
export interface HubOptions {
  /** A branch, a tag or a commit; `"main"` by default. Pin a commit of 40 digits to get the same files for ever. */
  revision?: string;
  /**
   * The files wanted; by default what a model and its tokenizer need. `*` stands for any characters within a name. A name
   * without `*` must be there.
   */
  files?: readonly string[];
  /** The folder of all models; by default HF_HUB_CACHE, else `hub` in HF_HOME, else `~/.cache/huggingface/hub`. */
  cacheFolder?: string;
  /** The hub's address; by default HF_ENDPOINT, else `https://huggingface.co`. */
  endpoint?: string;
  /** An access token; by default HF_TOKEN. Only private and gated models need one. */
  token?: string;
  /** Uses the cache only; by default whether HF_HUB_OFFLINE is 1. */
  offline?: boolean;
  /** Whether a download is shown, in a notebook and on a terminal; it is by default. */
  progress?: boolean;
  /** Hears how far the download is. */
  onProgress?: (progress: HubProgress) => void;
  /** Ends the download; what is there is kept. */
  signal?: AbortSignal;
}

/** What a model, its tokenizer and sentence-transformers' pooling need. */
const MODEL_FILES = [
  "config.json",
  "generation_config.json",
  "model.safetensors",
  "model-*-of-*.safetensors",
  "model.safetensors.index.json",
  "adapter_config.json",
  "adapter_model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.jinja",
  "modules.json",
  "sentence_bert_config.json",
  "*_Pooling/config.json",
];

/**
 * Downloads a model's files from the Hugging Face hub and returns their folder. The cache is Python's too (`huggingface_hub`):
 * a model that one of them has downloaded is there for the other. A cut transfer is continued, and each file is checked by the
 * hash that the hub states. Where the hub does not answer, the copy in the cache is used.
 *
 * @throws RangeError when the name or the revision is not one that the hub can have
 * @throws HubError when the hub does not have the model, the revision or a file, refuses it, or cannot be reached and the cache has
 *   no copy; when a file's hash is wrong; when the disk is full. The message says what to do
 */
export async function hubSnapshot(name: string, options: HubOptions = {}): Promise<string> {
  const revision = options.revision ?? "main";
  checkName(name, revision);
  const cache = new ModelCache(name, options.cacheFolder);
  const patterns = options.files ?? MODEL_FILES;
  const required = (options.files ?? []).filter((pattern) => !pattern.includes("*"));
  if (options.offline ?? isSet("HF_HUB_OFFLINE")) {
    const folder = cachedSnapshot(cache, revision, required);
    if (folder !== undefined) return folder;
    throw new HubError(
      "network",
      `${wanted(name, revision, required)} is not in the cache, and HF_HUB_OFFLINE is set: unset it once to download. ${capital(cache.describe())}`,
    );
  }
  const hub = hubOf(options);
  try {
    const { commit, files } = await list(hub, name, revision, patterns, required);
    await downloadAll({ hub, name, commit }, files, cache, options);
    cache.link(revision, commit, files);
    return cache.snapshotFolder(commit);
  } catch (error) {
    if (!(error instanceof HubError) || error.failure !== "network") throw cacheRefusal(error, cache.folder);
    const folder = cachedSnapshot(cache, revision, required);
    if (folder !== undefined) return folder;
    throw new HubError("network", `${error.message}. ${capital(cache.describe())}`, { cause: error });
  }
}

/** Whether a text is a name that the hub can have: `org/name`, or `name` for some old models. */
export function isHubName(text: string): boolean {
  const part = /^(?![-.])[\w.-]{1,96}(?<![-.])$/;
  const parts = text.split("/");
  return parts.length <= 2 && parts.every((each) => part.test(each)) && !/--|\.\.|\.git$/.test(text);
}

function checkName(name: string, revision: string): void {
  if (!isHubName(name)) {
    throw new RangeError(
      `a model's name on the hub is org/name, of letters, digits, -, _ and ., got ${JSON.stringify(name)}`,
    );
  }
  if (!/^[\w./-]+$/.test(revision) || revision.includes("..") || revision.startsWith("/")) {
    throw new RangeError(`a revision is a branch, a tag or a commit, got ${JSON.stringify(revision)}`);
  }
}

/** The commit of a revision, and its files that fit a pattern. */
async function list(
  hub: Hub,
  name: string,
  revision: string,
  patterns: readonly string[],
  required: readonly string[],
): Promise<{ commit: string; files: HubFile[] }> {
  const { commit, entries } = await listing(hub, name, revision);
  const expressions = patterns.map(expressionOf);
  const all = entries.map((entry) => entry.path);
  const files = entries.filter((entry) => expressions.some((expression) => expression.test(entry.path)));
  for (const file of files) {
    checkPath(file.path, name);
    const isStated =
      Number.isSafeInteger(file.size) && file.size >= 0 && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(file.hash);
    if (!isStated)
      throw new HubError(
        "damaged",
        `${hub.endpoint} states no size and hash of ${file.path} of ${name}: use another endpoint`,
      );
  }
  const missing = required.filter((file) => !all.includes(file));
  if (missing.length > 0 || files.length === 0) {
    const what = missing.length > 0 ? missing.join(", ") : `file that fits ${listNames(patterns)}`;
    throw new HubError(
      "notFound",
      `${name} has no ${what} at revision ${revision}; it has ${listNames(all) || "no file"}`,
    );
  }
  return { commit, files };
}

/** The commit of a revision and all its files, of which the hub may state anything. */
async function listing(hub: Hub, name: string, revision: string): Promise<{ commit: string; entries: HubFile[] }> {
  const where = { hubUrl: hub.endpoint, fetch: fetchFor(hub, { name, revision }) };
  try {
    const { sha: commit } = await modelInfo({ ...where, name, revision, additionalFields: ["sha"] });
    if (!isCommit(commit)) throw noHub(hub, `its commit is ${JSON.stringify(commit)}`);
    const entries: HubFile[] = [];
    for await (const entry of listFiles({ ...where, repo: name, revision: commit, recursive: true }))
      if (entry.type === "file")
        entries.push({ path: entry.path, size: entry.size, hash: entry.lfs?.oid ?? entry.oid ?? "" });
    return { commit, entries };
  } catch (error) {
    if (error instanceof HubError || hub.signal?.aborted) throw error;
    // The page of a network that asks for a login first, for instance.
    throw noHub(hub, error instanceof Error ? error.message : String(error), error);
  }
}

const noHub = ({ endpoint }: Hub, why: string, cause?: unknown): HubError =>
  new HubError("network", `${endpoint} does not answer as a hub does (${why}): check the address and the network`, {
    cause,
  });

async function downloadAll(
  source: Source,
  files: readonly HubFile[],
  cache: ModelCache,
  { progress = true, onProgress }: HubOptions,
): Promise<void> {
  const missing = files.filter(({ hash, size }) => !cache.hasBlob(hash, size));
  if (missing.length > 0) checkSpace(source.name, missing, cache);
  const show = progress && missing.length > 0 ? shownProgress(source.name) : undefined;
  const total = sizeOf(files);
  let before = 0;
  for (const file of files) {
    await downloadBlob(source, file, cache, (own) => {
      const now = { file: file.path, bytes: before + own, total };
      show?.(now);
      onProgress?.(now);
    });
    before += file.size;
  }
}

function sizeOf(files: readonly HubFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function checkSpace(name: string, missing: readonly HubFile[], cache: ModelCache): void {
  const needed = sizeOf(missing);
  makeFolder(cache.folder);
  const { bavail, bsize } = statfsSync(cache.folder);
  if (bavail * bsize >= needed) return;
  throw new HubError(
    "disk",
    `the disk is too full for ${name}: ${cache.folder} needs ${formatBytes(needed)}, ${formatBytes(bavail * bsize)} are free; ` +
      "make room there, or set HF_HOME to another folder",
  );
}

/** The folder of a revision in the cache, if it has the required files and the content of each of its files. */
function cachedSnapshot(cache: ModelCache, revision: string, required: readonly string[]): string | undefined {
  const commit = cache.commitOf(revision);
  if (commit === undefined) return undefined;
  const folder = cache.snapshotFolder(commit);
  if (!existsSync(folder) || !required.every((file) => existsSync(path.join(folder, file)))) return undefined;
  const links = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const lost = links.find((file) => !existsSync(path.join(folder, file)));
  if (lost !== undefined)
    throw new HubError("damaged", `${folder} lacks the content of ${lost}, which something removed: download it again`);
  return folder;
}

function wanted(name: string, revision: string, required: readonly string[]): string {
  return required.length > 0 ? `${required.join(", ")} of ${name} at ${revision}` : `${name} at ${revision}`;
}

/** A name that a repository gives must not lead out of the snapshot's folder. */
function checkPath(file: string, name: string): void {
  const parts = file.split("/");
  if (parts.some((part) => part === ".." || part === "" || part === ".") || file.includes("\\")) {
    throw new HubError(
      "damaged",
      `${name} has a file with the name ${JSON.stringify(file)}, which leads out of its folder`,
    );
  }
}

function expressionOf(pattern: string): RegExp {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^/]*")}$`);
}

function isSet(variable: string): boolean {
  return ["1", "ON", "YES", "TRUE"].includes(process.env[variable]?.toUpperCase() ?? "");
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
