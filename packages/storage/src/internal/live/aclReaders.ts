/** The clients that ask for ACLs beside the one that reads a live tree. */
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type * as Effect from "effect/Effect"
import { refuseMistake } from "../options.ts"
import type { AclReaders, LiveReader } from "./model.ts"

/** The mistake in these clients: of another chroot, they would ask for other znodes. */
export const mistakeInAclReaders = (zk: LiveReader, { aclReaders = [] }: AclReaders): InvalidArgument | undefined => {
  const other = aclReaders.find(({ chroot }) => chroot !== zk.chroot)
  return other === undefined
    ? undefined
    : new InvalidArgument({
        argument: "aclReaders",
        value: `a client with the chroot ${ZnodePath.toServer(other.chroot, "/")}`,
        rule: `must be clients with the chroot of the one that reads, ${ZnodePath.toServer(zk.chroot, "/")}`
      })
}

export const checkAclReaders = (zk: LiveReader, options: AclReaders): Effect.Effect<void, InvalidArgument> =>
  refuseMistake(() => mistakeInAclReaders(zk, options))
