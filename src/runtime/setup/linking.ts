// What differs between platforms in the linking of addons with TensorFlow's library.
import path from "node:path";

/** TensorFlow's libraries: with the C interface of eager execution, and with that of kernels. */
export const libraryNames = (platform: string = process.platform): readonly [cc: string, framework: string] =>
  platform === "darwin"
    ? ["libtensorflow_cc.2.dylib", "libtensorflow_framework.2.dylib"]
    : ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];

/** Path of the library with the C interface in the folder of a native library, as in its manifest. */
export const mainLibrary = (): string => path.posix.join("tensorflow", libraryNames()[0]);

/** For an addon that finds Node's functions in the process that loads it. */
export const addonFlags = (platform: string = process.platform): readonly string[] =>
  platform === "darwin" ? ["-undefined", "dynamic_lookup"] : [];

/** For an addon that lies beside the folder `tensorflow`. */
export const besideTensorflow = (platform: string = process.platform): readonly string[] =>
  platform === "darwin"
    ? ["-Wl,-rpath,@loader_path/tensorflow", ...addonFlags(platform)]
    : ["-Wl,-rpath,$ORIGIN/tensorflow"];
