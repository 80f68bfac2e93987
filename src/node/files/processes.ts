// Tells whether another process still runs. A process id that was reused is not mistaken for it.
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Whether a process with this id runs; on Linux a zombie does not count. */
function isRunning(pid: number): boolean {
  if (statusOf(pid)?.state === "Z") return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // another user's
  }
}

/** When a process was started, in the system's own unit; undefined except on Linux. */
export const startTimeOf = (pid: number): string | undefined => statusOf(pid)?.birth;

/**
 * Whether the process that had this id is still there, and not another one that was given the id since. A start time that
 * is unknown, then or now, tells nothing.
 */
export function isSameRunning(pid: number, birth: string | undefined): boolean {
  if (!isRunning(pid)) return false;
  const now = startTimeOf(pid);
  return birth === undefined || now === undefined || now === birth;
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the name, in parentheses, may contain anything. */
function statusOf(pid: number): { state: string; birth: string } | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0], birth: fields[19] };
  } catch {
    return undefined;
  }
}

/** The scope of process ids: this machine since its start, and on Linux this container. */
export function processSpace(): string {
  try {
    // Two machines may have one name, and the first container of each has the same number.
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${hostname()} ${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}
