// Whether another process is still there, told so that a number that was given out again is not taken for it.
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Whether a process has this number now; on Linux one that has ended and waits for its parent is not there. */
export function isRunning(pid: number): boolean {
  if (statusOf(pid)?.state === "Z") return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // somebody else's
  }
}

/** When the system started a process, in its own unit; undefined where it does not tell (it does on Linux). */
export const birthOf = (pid: number): string | undefined => statusOf(pid)?.birth;

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the name, in brackets, may hold anything. */
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

/** Where numbers of processes mean the same: this machine since its start, and on Linux this container. */
export function processSpace(): string {
  try {
    // Two machines may have one name, and the first container of each has the same number.
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${hostname()} ${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}
