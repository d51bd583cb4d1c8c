/** The clients that ask for ACLs beside the one that reads a live tree. */
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Effect from "effect/Effect"
import type { AclReaders, LiveReader } from "./model.ts"

/** The mistake in these clients: of another chroot, they would ask for other znodes. */
export const mistakeInAclReaders = (zk: LiveReader, { aclReaders = [] }: AclReaders): InvalidArgument | undefined => {
  const other = aclReaders.find(({ chroot }) => chroot !== zk.chroot)
  return other === undefined
    ? undefined
    : new InvalidArgument({
        argument: "aclReaders",
        value: `a client with the chroot ${other.chroot === "" ? "/" : other.chroot}`,
        rule: `must be clients with the chroot of the one that reads, ${zk.chroot === "" ? "/" : zk.chroot}`
      })
}

export const checkAclReaders = (zk: LiveReader, options: AclReaders): Effect.Effect<void, InvalidArgument> =>
  Effect.suspend(() => {
    const mistake = mistakeInAclReaders(zk, options)
    return mistake === undefined ? Effect.void : Effect.fail(mistake)
  })
