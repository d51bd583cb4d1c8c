/**
 * Where a real ZooKeeper comes from: `ZOOKEEPER_HOME` if it is set, else Debian's package or a Docker image, in this order.
 *
 * This module only looks (and, when it may, installs); it starts nothing.
 */
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { ZooKeeperNotFound, ZooKeeperServerError } from "./ZooKeeperError.ts"

/** How to run ZooKeeper's classes. */
export type ZooKeeperInstall =
  | {
      readonly _tag: "Java"
      /** Where it was found, for people. */
      readonly source: string
      /** The java command. */
      readonly java: string
      /** The class path, ready for `java -cp`. */
      readonly classPath: string
    }
  | {
      readonly _tag: "Docker"
      readonly source: string
      readonly image: string
    }

/** The main class of a server; its one argument is the path of a `zoo.cfg`. */
export const mainClass = "org.apache.zookeeper.server.quorum.QuorumPeerMain"

/**
 * Finds a ZooKeeper that can be started, or says in one line what to install. Where `ZOOKEEPER_HOME` is set, no other is taken:
 * a folder that does not serve is a `ZooKeeperServerError`.
 */
export const find = Effect.suspend((): Effect.Effect<ZooKeeperInstall, ZooKeeperNotFound | ZooKeeperServerError> => {
  const home = process.env["ZOOKEEPER_HOME"]
  if (home !== undefined && home !== "") return at(home)
  const tried = ["ZOOKEEPER_HOME is not set"]
  for (const look of [debianPackage, dockerImage]) {
    const found = look()
    if (typeof found !== "string") return Effect.succeed(found)
    tried.push(found)
  }
  return Effect.fail(new ZooKeeperNotFound({ tried }))
})

/** The Apache release in a folder, as `ZOOKEEPER_HOME` names one. */
export const at = (home: string): Effect.Effect<ZooKeeperInstall, ZooKeeperServerError> => {
  const release = apacheRelease(home)
  return typeof release !== "string"
    ? Effect.succeed(release)
    : Effect.fail(new ZooKeeperServerError({ server: `ZOOKEEPER_HOME=${home}`, action: "finding it", reason: release }))
}

/**
 * Installs Debian's package with apt-get, if that is allowed here: as root on Debian or a relative of it, or with
 * `ZK_INSTALL=1`. Fails with {@link ZooKeeperNotFound} where it is not.
 */
export const install: Effect.Effect<ZooKeeperInstall, ZooKeeperNotFound | ZooKeeperServerError> = Effect.suspend(() => {
  const isRoot = process.getuid?.() === 0
  if (!commandExists("apt-get")) {
    return Effect.fail(new ZooKeeperNotFound({ tried: ["installing it: this system has no apt-get"] }))
  }
  if (process.env["ZK_INSTALL"] !== "1" && !(isRoot && Fs.existsSync("/etc/debian_version"))) {
    return Effect.fail(new ZooKeeperNotFound({ tried: ["installing it: needs root on Debian, or ZK_INSTALL=1"] }))
  }
  const sudo = isRoot ? [] : ["sudo", "-n"]
  const packages = commandExists("java") ? ["zookeeper"] : ["zookeeper", "default-jre-headless"]
  return aptGet([...sudo, "apt-get", "update"]).pipe(
    Effect.andThen(aptGet([...sudo, "apt-get", "install", "-y", "--no-install-recommends", ...packages])),
    Effect.andThen(find)
  )
})

/** {@link find}, and where that finds nothing {@link install}. */
export const findOrInstall: Effect.Effect<ZooKeeperInstall, ZooKeeperNotFound | ZooKeeperServerError> = find.pipe(
  Effect.catchTag("ZooKeeperNotFound", (notFound) =>
    install.pipe(
      Effect.catchTag("ZooKeeperNotFound", (refused) =>
        Effect.fail(new ZooKeeperNotFound({ tried: [...notFound.tried, ...refused.tried] }))
      )
    )
  )
)

// ---- internal: each look gives an install, or the reason why there is none

/** An Apache release has all jars in `lib`; up to 3.5.4 the server's own is beside that folder. */
const apacheRelease = (home: string): ZooKeeperInstall | string => {
  const lib = Path.join(home, "lib")
  const folders = [home, lib].filter((folder) => Fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true)
  if (folders.length === 0) return "there is no such folder; unpack an Apache release there, or unset the variable"
  if (!folders.some((folder) => Fs.readdirSync(folder).some((name) => /^zookeeper-\d.*\.jar$/.test(name)))) {
    return "no zookeeper-*.jar is in it or in its lib; unpack an Apache release there, or unset the variable"
  }
  const java = findJava()
  if (java === undefined) return "it is there, but java is not; install a Java runtime, or set JAVA_HOME"
  const classPath = folders.map((folder) => Path.join(folder, "*")).join(Path.delimiter)
  return { _tag: "Java", source: `ZOOKEEPER_HOME=${home}`, java, classPath }
}

/** The manifest of `zookeeper.jar` pulls most jars; these are the ones that it forgets. `servlet-api` is for the AdminServer. */
const debianJars = [
  "zookeeper",
  "slf4j-simple",
  "netty-codec",
  "netty-resolver",
  "netty-transport-native-unix-common",
  "servlet-api"
]

const debianPackage = (): ZooKeeperInstall | string => {
  const folder = "/usr/share/java"
  if (!Fs.existsSync(Path.join(folder, "zookeeper.jar"))) return "Debian's package zookeeper is not installed"
  const java = findJava()
  if (java === undefined) return "Debian's package zookeeper is installed, but java is not"
  const classPath = debianJars.map((name) => Path.join(folder, `${name}.jar`)).filter((jar) => Fs.existsSync(jar))
  return { _tag: "Java", source: "Debian's package", java, classPath: classPath.join(":") }
}

const dockerImage = (): ZooKeeperInstall | string => {
  if (!commandExists("docker")) return "docker is not installed"
  const info = ChildProcess.spawnSync("docker", ["info", "--format", "{{.ServerVersion}}"], {
    stdio: "ignore",
    timeout: 10_000
  })
  if (info.status !== 0) return "docker is installed, but its engine does not answer"
  return { _tag: "Docker", source: "Docker", image: "zookeeper:3.8" }
}

const findJava = (): string | undefined => {
  const home = process.env["JAVA_HOME"]
  const fromHome = home === undefined || home === "" ? undefined : Path.join(home, "bin", "java")
  if (fromHome !== undefined && Fs.existsSync(fromHome)) return fromHome
  return commandExists("java") ? "java" : undefined
}

const commandExists = (name: string): boolean =>
  (process.env["PATH"] ?? "").split(Path.delimiter).some((folder) => Fs.existsSync(Path.join(folder, name)))

const aptGet = (command: ReadonlyArray<string>): Effect.Effect<void, ZooKeeperServerError> =>
  Effect.callback((resume) => {
    const [file, ...args] = command
    const child = ChildProcess.spawn(file ?? "", args, {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      // Its progress goes to stderr: stdout belongs to the caller.
      stdio: ["ignore", 2, 2]
    })
    const fail = (reason: string) =>
      resume(Effect.fail(new ZooKeeperServerError({ server: "apt-get", action: command.join(" "), reason })))
    child.once("error", (error) => fail(error.message))
    child.once("exit", (code) => (code === 0 ? resume(Effect.void) : fail(`exit code ${code}`)))
    return Effect.sync(() => child.kill())
  })
