import { madeRef, type Ref, uploadRef } from "./trace.ts";

/** TensorFlow counts its tensors from 0; those of an upload have the bit `UPLOAD` too. */
const PENDING = 2 ** 30;
const UPLOAD = 2 ** 29;
let nextMade = 0;
let nextUpload = 0;

/** Whether this is the number of a tensor that is not computed yet. */
export const isPending = (id: number): boolean => id >= PENDING;

/** Whether it stands for values of an upload. */
export const isPendingUpload = (id: number): boolean => id >= PENDING + UPLOAD;

/**
 * The numbers of one run's tensors that are not computed yet. They are not used again before half a billion others, so that none is
 * taken for one of a run before.
 */
export class PendingNumbers {
  readonly #firstMade = nextMade;
  readonly #firstUpload = nextUpload;

  /** A number for the next result of an op. */
  readonly nextMade = (): number => PENDING + (nextMade++ % UPLOAD);

  /** A number for the next upload. */
  readonly nextUpload = (): number => PENDING + UPLOAD + (nextUpload++ % UPLOAD);

  ofMade(index: number): number {
    return PENDING + ((this.#firstMade + index) % UPLOAD);
  }

  ofUpload(index: number): number {
    return PENDING + UPLOAD + ((this.#firstUpload + index) % UPLOAD);
  }

  refOf(id: number): Ref {
    return isPendingUpload(id)
      ? uploadRef(distance(id - PENDING - UPLOAD, this.#firstUpload))
      : madeRef(distance(id - PENDING, this.#firstMade));
  }
}

const distance = (number: number, first: number): number => (number - (first % UPLOAD) + UPLOAD) % UPLOAD;
