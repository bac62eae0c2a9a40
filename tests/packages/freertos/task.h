#ifndef TASK_H
#define TASK_H

typedef long BaseType_t;

void vTaskSuspendAll(void);
BaseType_t xTaskResumeAll(void);

#endif
