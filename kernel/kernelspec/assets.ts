import { fileURLToPath } from "node:url";

/** This folder in the sources, where the logos and the Python files are: the build holds only what TypeScript compiles. */
export const assets = fileURLToPath(new URL("../../../kernel/kernelspec", import.meta.url));

/** What a kernelspec starts. */
export const kernelMain = fileURLToPath(new URL("../main.js", import.meta.url));
