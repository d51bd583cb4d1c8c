/**
 * The peers in other languages, which are compiled when they are first measured, if their compilers and libraries are there.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"

/** A peer that is a program of its own. */
interface Native {
  readonly name: string
  readonly source: string
  /** The command that shows that there is a compiler, and what is said where there is none. */
  readonly asks: readonly [command: string, flag: string, missing: string]
  /** A path that must be there, and the package that brings it. */
  readonly needs: readonly [path: string, debianPackage: string]
  readonly compiler: (source: string, program: string) => readonly [string, ReadonlyArray<string>]
}

/** The sources of Debian's Go packages, which need no network. */
const goPath = "/usr/share/gocode"

const natives: ReadonlyArray<Native> = [
  {
    name: "go-zookeeper",
    source: "peer.go",
    asks: ["go", "version", "golang-go is not installed"],
    needs: [`${goPath}/src/github.com/samuel/go-zookeeper`, "golang-github-samuel-go-zookeeper-dev"],
    compiler: (source, program) => ["go", ["build", "-o", program, source]]
  },
  {
    name: "C client",
    source: "peer.c",
    asks: ["cc", "--version", "there is no C compiler"],
    needs: ["/usr/include/zookeeper/zookeeper.h", "libzookeeper-mt-dev"],
    compiler: (source, program) => [
      "cc",
      ["-O2", "-Wall", "-DTHREADED", "-o", program, source, "-lzookeeper_mt", "-lpthread"]
    ]
  }
]

const jars = ["curator-recipes", "curator-framework", "curator-client", "zookeeper", "slf4j-nop"].map(
  (name) => `/usr/share/java/${name}.jar`
)

/** Curator's recipes; the program is a folder of classes. */
const curator: Native = {
  name: "Curator",
  source: "RecipePeer.java",
  asks: ["javac", "-version", "there is no Java compiler"],
  needs: [jars[0]!, "libcurator-recipes-java"],
  compiler: (source, program) => ["javac", ["-cp", jars.join(":"), "-d", program, source]]
}

/** The command that runs Curator's recipes, compiled, or the reason why there is none. */
export const curatorCommand = (
  servers: string
): { readonly command: ReadonlyArray<string> } | { readonly missing: string } => {
  const built = build(curator)
  if ("missing" in built) return built
  return { command: ["java", "-Xmx256m", "-cp", [built.program, ...jars].join(":"), "RecipePeer", servers] }
}

/** The programs, compiled, by name; or the reason why one is missing. */
export const compileNatives = (): ReadonlyArray<{ readonly name: string; readonly built: Built }> =>
  natives.map((native) => ({ name: native.name, built: build(native) }))

const folder = fileURLToPath(new URL("native", import.meta.url))

type Built = { readonly program: string } | { readonly missing: string }

const build = ({
  asks: [asked, flag, missing],
  compiler,
  name,
  needs: [path, debianPackage],
  source
}: Native): Built => {
  if (ChildProcess.spawnSync(asked, [flag], { stdio: "ignore" }).status !== 0) return { missing }
  if (!Fs.existsSync(path)) return { missing: `${debianPackage} is not installed` }
  const file = Path.join(folder, source)
  const program = Path.join(folder, "dist", source.replace(".", "-"))
  if (Fs.existsSync(program) && Fs.statSync(program).mtimeMs > Fs.statSync(file).mtimeMs) return { program }
  console.error(`Compiling ${name}, once ...`)
  Fs.mkdirSync(Path.dirname(program), { recursive: true })
  const [command, args] = compiler(file, program)
  const env = { ...process.env, GO111MODULE: "off", GOPATH: goPath, GOCACHE: Path.join(folder, "dist", "cache") }
  const { status, stderr } = ChildProcess.spawnSync(command, args, { env, encoding: "utf8" })
  return status === 0 ? { program } : { missing: `it does not compile: ${stderr.split("\n").slice(0, 2).join(" ")}` }
}
