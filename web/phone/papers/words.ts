import { words } from '@/shared/words'

export const t = words(
  {
    close: '关闭',
    loading: '正在取文件……',
    page: (at: number, all: number) => `第 ${at} / ${all} 页`,
    larger: '放大',
    smaller: '缩小',
    save: '下载',
    away: '现在没有信号，这份文件还没有存到手机里。有信号时再打开。',
    unreadable: '这份文件在手机上显示不出来，可以下载后用其他应用打开。',
    kept: (when: string) => `没有信号，这是 ${when} 看过的那一份。`,
    pages: (name: string) => `${name}，各页`,
    pdf: (n: number) => `佐证材料 ${n}（PDF）`,
  },
  {
    close: 'Close',
    loading: 'Fetching the paper …',
    page: (at: number, all: number) => `Page ${at} of ${all}`,
    larger: 'Larger',
    smaller: 'Smaller',
    save: 'Download',
    away: 'No signal, and this paper is not on the phone yet. Open it again with one.',
    unreadable: 'This paper cannot be shown here. Download it to open it in another app.',
    kept: (when: string) => `No signal: this is the paper as read ${when}.`,
    pages: (name: string) => `${name}, pages`,
    pdf: (n: number) => `Evidence ${n} (PDF)`,
  },
)
