import { libraryNames } from "./linking.ts";

/** One Python wheel that is downloaded, and what of it is kept. */
export interface Wheel {
  project: string;
  version: string;
  file: string;
  sha256: string;
  /** Size of the download. */
  bytes: number;
  /** Members whose path starts with one of these are unpacked, under their own path. */
  members: readonly string[];
}

export const tensorflowVersion = "2.21.0";

function tensorflow(project: string, platform: string, bytes: number, sha256: string): Wheel {
  const members = [
    ...libraryNames(platform.startsWith("macosx") ? "darwin" : "linux").map((name) => `tensorflow/${name}`),
    "tensorflow/include/tensorflow/c/",
    "tensorflow/include/tensorflow/core/platform/ctstring",
    "tensorflow/include/tsl/platform/ctstring",
    "tensorflow/include/xla/tsl/c/",
  ];
  const file = `${project.replace("-", "_")}-${tensorflowVersion}-cp311-cp311-${platform}.whl`;
  return { project, version: tensorflowVersion, file, sha256, bytes, members };
}

/** CUDA 12 as `tensorflow[and-cuda]` asks for it. TensorFlow looks for it beside itself, where its wheels would lie. */
function nvidia(name: string, version: string, platforms: string, bytes: number, sha256: string): Wheel {
  const folder = `nvidia/${name.replaceAll("-", "_")}/`;
  return {
    project: `nvidia-${name}-cu12`,
    version,
    file: `nvidia_${name.replaceAll("-", "_")}_cu12-${version}-py3-none-${platforms}.whl`,
    sha256,
    bytes,
    members: [`${folder}lib/`, `${folder}bin/`, `${folder}nvvm/`],
  };
}

const cuda = [
  nvidia(
    "cublas",
    "12.9.3.13",
    "manylinux_2_27_x86_64",
    581_217_458,
    "d7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72",
  ),
  nvidia(
    "cuda-cupti",
    "12.9.79",
    "manylinux_2_25_x86_64",
    10_814_997,
    "096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f",
  ),
  nvidia(
    "cuda-nvcc",
    "12.9.86",
    "manylinux2010_x86_64.manylinux_2_12_x86_64",
    40_546_229,
    "5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0",
  ),
  nvidia(
    "cuda-nvrtc",
    "12.9.86",
    "manylinux2010_x86_64.manylinux_2_12_x86_64",
    89_568_129,
    "210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4",
  ),
  nvidia(
    "cuda-runtime",
    "12.9.79",
    "manylinux2014_x86_64.manylinux_2_17_x86_64",
    3_493_179,
    "25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3",
  ),
  nvidia(
    "cudnn",
    "9.28.0.42",
    "manylinux_2_27_x86_64",
    716_538_495,
    "9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375",
  ),
  nvidia(
    "cufft",
    "11.4.1.4",
    "manylinux2014_x86_64.manylinux_2_17_x86_64",
    200_877_592,
    "c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28",
  ),
  nvidia(
    "curand",
    "10.3.10.19",
    "manylinux_2_27_x86_64",
    68_295_626,
    "49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e",
  ),
  nvidia(
    "cusolver",
    "11.7.5.82",
    "manylinux_2_27_x86_64",
    338_117_415,
    "15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88",
  ),
  nvidia(
    "cusparse",
    "12.5.10.65",
    "manylinux2014_x86_64.manylinux_2_17_x86_64",
    366_465_088,
    "73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78",
  ),
  nvidia(
    "nccl",
    "2.32.3",
    "manylinux_2_27_x86_64",
    351_526_311,
    "bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c",
  ),
  nvidia(
    "nvjitlink",
    "12.9.86",
    "manylinux2010_x86_64.manylinux_2_12_x86_64",
    39_748_338,
    "e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9",
  ),
];

export interface Wheels {
  wheels: readonly Wheel[];
  /** Bytes on disk while it is built, beside the downloads. */
  unpacked: number;
  /** Symbolic links beside what is unpacked, and their targets. */
  links?: Readonly<Record<string, string>>;
}

/** By `process.platform`, `process.arch` and device: what to download. */
export const wheels: Record<string, Wheels> = {
  "linux x64 cpu": {
    unpacked: 0.9e9,
    wheels: [
      tensorflow(
        "tensorflow-cpu",
        "manylinux_2_27_x86_64",
        273_829_956,
        "2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c",
      ),
    ],
  },
  "linux arm64 cpu": {
    unpacked: 0.9e9,
    wheels: [
      tensorflow(
        "tensorflow",
        "manylinux_2_27_aarch64",
        281_828_020,
        "4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c",
      ),
    ],
  },
  "darwin arm64 cpu": {
    unpacked: 0.9e9,
    wheels: [
      tensorflow(
        "tensorflow",
        "macosx_12_0_arm64",
        223_405_849,
        "51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88",
      ),
    ],
  },
  "linux x64 gpu": {
    unpacked: 6e9,
    wheels: [
      tensorflow(
        "tensorflow",
        "manylinux_2_27_x86_64",
        572_440_367,
        "9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124",
      ),
      ...cuda,
    ],
    // TensorFlow 2.21 opens cuSOLVER from libtensorflow_framework, whose run path has the folders of all libraries but this one, and without it
    // uses no GPU. cuSOLVER finds the libraries that it needs from there too. bench/cuda-libraries.ts checks it.
    links: { "nvidia/cusparse/lib/libcusolver.so.11": "../../cusolver/lib/libcusolver.so.11" },
  },
};

export const zigVersion = "0.13.0";

const zig = (platforms: string, bytes: number, sha256: string): Wheel => ({
  project: "ziglang",
  version: zigVersion,
  file: `ziglang-${zigVersion}-py3-none-${platforms}.whl`,
  sha256,
  bytes,
  members: ["ziglang/zig", "ziglang/lib/"],
});

/** A C++ compiler for machines that have none, by `process.platform` and `process.arch`. */
export const zigWheels: Record<string, Wheel> = {
  "linux x64": zig(
    "manylinux_2_12_x86_64.manylinux2010_x86_64.musllinux_1_1_x86_64",
    80_896_325,
    "3ce0c9f16547e5d61b32e0d226926e9a2552ef4b91fccf7ab5ea1a623a77824b",
  ),
  "linux arm64": zig(
    "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
    77_819_666,
    "5714a4d46f9246ba6180a0930e23df2bc8bc26e62b5fe0dc798b4afca1903308",
  ),
  "darwin arm64": zig(
    "macosx_12_0_arm64",
    81_237_662,
    "5408ad3a6cb342fb4e4e2351a3725adfcae82eaadebe85fdbbdad9c0ac8b1e24",
  ),
};
