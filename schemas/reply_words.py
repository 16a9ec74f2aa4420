"""What each answer is, in the words of the contracts: the models' docstrings are for those who program here."""

from __future__ import annotations

from collections.abc import Mapping

#: Model name -> its description.
REPLY_WORDS: Mapping[str, str] = {
    "AccountDayOut": "逐日账的一行",
    "CalendarDayOut": "与平常一周不同的一天，或节假日里的一天",
    "CalendarOut": "一年的工作日历",
    "CaseOut": "一件办件现在的样子，各处都是同一个样式",
    "CasesOut": "一页办件；next 是下一页的游标，最后一页为 null",
    "ClockOut": "一项计时；limit 是 start_on 之后的工作日数，start_on 当天不算",
    "DueOut": "一个到期日和它是怎样数出来的",
    "ExplainOut": "一件的逐日账，每项计时（时限和轮次）一份",
    "FindingOut": "一条异常：code 固定，text 给人看",
    "HealthOut": "运行状况",
    "NotificationOut": "给一个人的一条提醒，和它的结果",
    "NotificationsOut": "一页提醒",
    "ProblemOut": "出错说明（RFC 9457，application/problem+json）",
    "ReceiptOut": "服务商对一条已收下的消息的送达报告",
    "ResultOut": "一个事件的结果",
    "ResultsOut": "各事件的结果，顺序与发来的相同；办件是整批之后的样子",
    "TimelineEntryOut": "经过里的一行：事件、消息或到期日变动",
    "TimelineOut": "一件的经过，按时间排",
    "ToldOut": "发生时的办件和涉及的时限",
    "DueChangedOut": "到期日变了：挂起、延期、迟到的事件、新的日历",
    "RemindedOut": "已经告诉了一个人：渠道收下了消息",
    "BreachedOut": "过了到期时刻还没办结；迟到的事件可能收回它（sla.breach_withdrawn）",
    "BreachWithdrawnOut": "先前说的超期不成立：迟到的事件或新的日历把到期日后移了",
    "ClosedOut": "办结了，以及判定",
}
#: Outgoing event type -> what it says.
OUTGOING_WORDS: Mapping[str, str] = {
    "sla.due_changed": "到期日变动",
    "sla.reminded": "已提醒",
    "sla.breached": "超期",
    "sla.breach_withdrawn": "超期收回",
    "sla.closed": "办结",
}
