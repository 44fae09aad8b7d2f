import { realpathSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** The user and the groups that a process runs as. */
export type Identity = { readonly uid: number; readonly groups: readonly number[] }

/**
 * Why a file with secrets is not private, with the remedy that fits its place. The file must belong to root or the
 * portal's user; others must not have any access to it, and only the owner may write it. Its group may read it where it
 * is a group of the portal's process, as with `fsGroup` on Kubernetes. The directories above the path and above its
 * target must not let other users replace the file.
 * Undefined when nothing is wrong, when the file does not exist (reported elsewhere), and on Windows.
 */
export function secretFileProblem(path: string, identity = ownIdentity()): string | undefined {
  if (!identity) return undefined
  try {
    const real = realpathSync(path)
    const problems = fileProblems(real, identity)
    if (problems.length > 0)
      return `(${path}) holds secrets and is not private: ${listed(problems)}. ${remedyOf(path, real, problems, identity)}`
    // A user who can write a directory above the path can put another link there.
    const above = new Set([...directoriesAbove(real), ...directoriesAbove(resolve(path))])
    return above
      .values()
      .map((directory) => directoryProblem(path, directory, identity))
      .find((problem) => problem !== undefined)
  } catch {
    return undefined
  }
}

/** Undefined on Windows, which has no such permissions. */
function ownIdentity(): Identity | undefined {
  const [uid, gid] = [process.geteuid?.(), process.getegid?.()]
  if (uid === undefined || gid === undefined) return undefined
  return { uid, groups: [gid, ...(process.getgroups?.() ?? [])] }
}

/** What is wrong with a file, and the change of its mode that mends it; without one, its owner has to change. */
type FileProblem = { readonly why: string; readonly chmod?: string }

function fileProblems(real: string, identity: Identity): FileProblem[] {
  const { mode, uid, gid } = statSync(real)
  const isOwn = isTrusted(uid, identity)
  const isReadByOthers = (mode & 0o040) !== 0 && !identity.groups.includes(gid)
  return [
    ...(isOwn ? [] : [{ why: `it belongs to user ${uid}` }]),
    // Container runtimes mount secrets for every user of the container, which is the portal's alone.
    ...((mode & 0o004) === 0 || real.startsWith(mounted)
      ? []
      : [{ why: 'every user of this machine can read it', chmod: 'o-r' }]),
    ...((mode & 0o002) === 0 ? [] : [{ why: 'every user of this machine can write it', chmod: 'o-w' }]),
    ...(isReadByOthers ? [{ why: `group ${gid}, which is not the portal's, can read it`, chmod: 'g-r' }] : []),
    ...((mode & 0o020) === 0 ? [] : [{ why: 'its group can write it', chmod: 'g-w' }]),
  ]
}

/** Docker mounts secrets here as 0444, owned by root. */
const mounted = '/run/secrets/'

/** Root can read and replace everything anyway. */
function isTrusted(uid: number, identity: Identity): boolean {
  return uid === 0 || uid === identity.uid
}

function listed(problems: readonly FileProblem[]): string {
  return problems.map(({ why }) => why).join(', ')
}

function remedyOf(path: string, real: string, problems: readonly FileProblem[], { uid }: Identity): string {
  if (kubernetesVolume.test(real))
    return 'This is a volume of Kubernetes: set defaultMode: 0440 for the volume, and fsGroup in the securityContext of the pod'
  const modes = problems.flatMap(({ chmod }) => chmod ?? [])
  const commands = [
    ...(modes.length < problems.length ? [`chown ${uid} ${path}`] : []),
    ...(modes.length > 0 ? [`chmod ${modes.join(',')} ${path}`] : []),
  ]
  return `Run: ${commands.join(', and ')}`
}

/** The directory of one version of a secret, such as `..2026_11_29_05_00_00.123456`, to which `..data` links. */
const kubernetesVolume = /\/\.\.\d{4}_\d\d_\d\d_[^/]+\//

/** Every directory above a path, the nearest first. */
function directoriesAbove(path: string): string[] {
  const directory = dirname(path)
  return directory === path ? [] : [directory, ...directoriesAbove(directory)]
}

/** In a sticky directory, such as /tmp, only the owner of a file can replace it. */
function directoryProblem(path: string, directory: string, identity: Identity): string | undefined {
  const { mode, uid, gid } = statSync(directory)
  const isSticky = (mode & 0o1000) !== 0
  const problem = (why: string, remedy: string) =>
    `(${path}) holds secrets and can be replaced: ${why} ${directory}. Run: ${remedy} ${directory}`
  if (!isTrusted(uid, identity)) return problem(`user ${uid} owns`, `chown ${identity.uid}`)
  if (isSticky) return undefined
  if ((mode & 0o002) !== 0) return problem('every user of this machine can write', 'chmod o-w')
  const isForeignGroup = (mode & 0o020) !== 0 && gid !== 0 && !identity.groups.includes(gid)
  return isForeignGroup ? problem(`group ${gid}, which is not the portal's, can write`, 'chmod g-w') : undefined
}
