/**
 * The step between the data of a znode and the value that an application sees, such as decryption.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"

/**
 * Converts the data of a znode. `Encryption` is one.
 *
 * The message of its error is shown in logs and errors: it must not quote data or keys.
 *
 * @category models
 * @since 0.1.0
 */
export interface DataDecoder {
  /** `path` is that of the znode, for the error. */
  readonly decodeData: (path: string, data: Uint8Array) => Effect.Effect<Uint8Array, Error>
}
