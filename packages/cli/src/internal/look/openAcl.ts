/** ACLs that let everybody change a znode. */
import type * as Acl from "@effect-zookeeper/client/Acl"
import { NoAuth, NoNode, type ReadError } from "@effect-zookeeper/client/Errors"
import * as Effect from "effect/Effect"
import type { Reader } from "../frame/Client.ts"

/** Whether everybody may change a znode, or what is below it. A znode that has gone is not open. */
export const isOpen = (zk: Reader, path: string): Effect.Effect<boolean, Exclude<ReadError, NoAuth | NoNode>> =>
  zk.getAcl(path).pipe(
    Effect.map(({ acl }) => acl.some(isChangeable)),
    Effect.catchIf(
      (error): error is NoAuth | NoNode => error instanceof NoAuth || error instanceof NoNode,
      () => Effect.succeed(false)
    )
  )

// ---- internal

const isChangeable = ({ id, perms, scheme }: Acl.Acl): boolean =>
  scheme === "world" && id === "anyone" && (perms & ~1) !== 0
