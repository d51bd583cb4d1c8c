/**
 * Gets one release of ZooKeeper out of Debian's packages, into a folder that has the layout of an Apache release. The folder is
 * kept for the next run.
 */
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fail, type StepFailed } from "../steps.ts"
import { makeFolder, unpackPackages } from "./debianPackages.ts"
import type { Release } from "./releases.ts"
import { stripManifest } from "./stripManifest.ts"

/** The folder of a release in `cache`; it is fetched unless it is there. */
export const fetchRelease = (release: Release, cache: string): Effect.Effect<string, StepFailed> =>
  Effect.scoped(
    makeFolder(Path.join(cache, release.version), (draft) =>
      Effect.gen(function* () {
        const unpacked = yield* TemporaryFolder.make("unpacked-")
        yield* unpackPackages(release.suite, release.packages, unpacked)
        yield* copyJars(release, Path.join(unpacked, "usr/share/java"), draft)
      })
    )
  )

const copyJars = Effect.fnUntraced(function* (release: Release, from: string, to: string) {
  const own = `zookeeper-${release.version}`
  Fs.mkdirSync(Path.join(to, "lib"), { recursive: true })
  for (const name of [own, ...release.jars]) {
    const source = Path.join(from, `${name}.jar`)
    if (!Fs.existsSync(source)) {
      const there = Fs.readdirSync(from).filter((name) => /^zookeeper-\d/.test(name))
      return yield* fail(
        `Debian ${release.suite} has no ${name}.jar for ZooKeeper ${release.version} (of ZooKeeper: ${there.join(", ")})`,
        "the suite has moved on: correct scripts/servers/releases.ts"
      )
    }
    const folder = name === own && release.ownJarIn === "root" ? to : Path.join(to, "lib")
    Fs.writeFileSync(Path.join(folder, `${name}.jar`), stripManifest(Fs.readFileSync(source)))
  }
})
