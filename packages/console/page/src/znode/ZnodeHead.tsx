import { createSignal, For, Match, onCleanup, Show, Switch } from "solid-js"
import { isWithin, nameOf, parentOf, trail } from "../model/znodePath.ts"
import { copy } from "../parts/copy.ts"
import { Icon } from "../parts/Icon.tsx"
import { Name } from "../parts/Name.tsx"
import { usePage } from "../shell/page.ts"
import { CreateDialog } from "./CreateDialog.tsx"
import { DeleteDialog } from "./DeleteDialog.tsx"
import { ExportDialog } from "./ExportDialog.tsx"
import { GraftDialog } from "./GraftDialog.tsx"
import type { Present } from "./present.ts"

/** A dialog of one znode, which stays that one when the page goes elsewhere behind it. */
type Opened =
  | { readonly kind: "create" | "copy" | "import" | "export"; readonly path: string }
  | { readonly kind: "delete"; readonly path: string; readonly stat: Present["stat"] }

/** The path of the znode, and what can be done with it as a whole. */
export const ZnodeHead = (props: {
  readonly path: string
  readonly present: Present | undefined
  readonly onBack: () => void
}) => {
  const { go, href, readOnly, route, say } = usePage()
  const [dialog, setDialog] = createSignal<Opened>()
  const open = (kind: Exclude<Opened["kind"], "delete">) => setDialog({ kind, path: props.path })
  const remove = (): void => {
    if (props.present !== undefined) setDialog({ kind: "delete", path: props.path, stat: props.present.stat })
  }
  const close = (): void => void setDialog()
  /** An answer may come after its dialog was closed, when another one is open or another znode is shown. */
  const finish = (opened: Opened, text: string, then: () => void): void => {
    say(text)
    if (dialog() !== opened) return
    close()
    then()
  }
  onCleanup(close)
  return (
    <div class="znode-head">
      <div class="row">
        <button class="button quiet icon back" aria-label="Back to the tree" onClick={() => props.onBack()}>
          <Icon name="left" />
        </button>
        <nav class="trail" aria-label="Path">
          <ol>
            <For each={trail(props.path)}>
              {(step, index) => (
                <li>
                  <Show when={index() > 1}>
                    <span class="muted" aria-hidden="true">
                      /
                    </span>
                  </Show>
                  <a href={href({ view: "tree", path: step })} aria-current={step === props.path ? "page" : undefined}>
                    <Name text={nameOf(step)} />
                  </a>
                </li>
              )}
            </For>
          </ol>
        </nav>
        <button
          class="button quiet icon"
          aria-label="Copy the path"
          title="Copy the path"
          onClick={() => copy(props.path, "The path is copied.", say)}
        >
          <Icon name="copy" size={14} />
        </button>
        <button
          class="button quiet icon"
          aria-label="Copy a link to this znode"
          title="Copy a link to this znode"
          onClick={() => copy(window.location.href, "The link is copied. It has no token.", say)}
        >
          <Icon name="link" size={14} />
        </button>
      </div>
      <Show when={props.present !== undefined}>
        <div class="row">
          <Show when={readOnly() === undefined}>
            <button class="button" onClick={() => open("create")}>
              <Icon name="add" size={14} /> Create a child
            </button>
          </Show>
          <button class="button quiet" onClick={() => open("export")}>
            Export
          </button>
          <Show when={readOnly() === undefined}>
            <button class="button quiet" onClick={() => open("import")}>
              Import
            </button>
            <Show when={props.path !== "/"}>
              <button class="button quiet" onClick={() => open("copy")}>
                Copy
              </button>
              <button class="button danger" onClick={() => remove()}>
                <Icon name="trash" size={14} /> Delete
              </button>
            </Show>
          </Show>
        </div>
      </Show>
      <Show when={dialog()} keyed>
        {(opened) => (
          <Switch>
            <Match when={opened.kind === "export"}>
              <ExportDialog path={opened.path} onClose={close} />
            </Match>
            <Match when={opened.kind === "copy" || opened.kind === "import"}>
              <GraftDialog
                kind={opened.kind === "copy" ? "copy" : "import"}
                path={opened.path}
                onClose={close}
                onDone={(path, count) =>
                  finish(
                    opened,
                    count === 1 ? "One znode was created." : `${count.toLocaleString("en")} znodes were created.`,
                    () => go({ path })
                  )
                }
              />
            </Match>
            <Match when={opened.kind === "create"}>
              <CreateDialog
                parent={opened.path}
                onClose={close}
                onCreated={(path) => finish(opened, "It was created.", () => go({ path }))}
              />
            </Match>
            <Match when={opened.kind === "delete" && opened}>
              {(opened) => (
                <DeleteDialog
                  path={opened().path}
                  stat={opened().stat}
                  onClose={close}
                  onDeleted={(count) =>
                    finish(
                      opened(),
                      count === 1 ? "The znode was deleted." : `${count.toLocaleString("en")} znodes were deleted.`,
                      () => isWithin(route().path, opened().path) && go({ path: parentOf(opened().path) ?? "/" })
                    )
                  }
                />
              )}
            </Match>
          </Switch>
        )}
      </Show>
    </div>
  )
}
