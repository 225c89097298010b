import { words } from '@/shared/words'

export const t = words(
  {
    title: '启用动态码',
    why: '您的角色可以审批和销号，登录时除口令外还要动态码。只需设置一次。',
    begin: '开始设置',
    app: '第一步：把密钥加入手机里的身份验证器',
    open: '用身份验证器打开',
    byHand: '打不开时，在身份验证器里选“输入密钥”，抄入：',
    copy: '复制密钥',
    copied: '已复制',
    code: '第二步：输入身份验证器显示的 6 位数字',
    confirm: '启用',
    busy: '请稍候……',
    done: '不要把密钥拍照或发给别人。换手机时请系统管理员重置。',
    leave: '退出登录',
  },
  {
    title: 'Set up one-time codes',
    why: 'Your role approves and clears: signing in takes a one-time code besides the password. You set it up once.',
    begin: 'Begin',
    app: 'First: add the key to the authenticator app on this phone',
    open: 'Open in the authenticator',
    byHand: 'If that does not open, choose “enter a key” there and type:',
    copy: 'Copy the key',
    copied: 'Copied',
    code: 'Second: the 6 digits the authenticator shows',
    confirm: 'Switch on',
    busy: 'One moment …',
    done: 'Do not photograph the key or pass it on. For a new phone ask the administrator to reset it.',
    leave: 'Sign out',
  },
)
