/* The parts of the pages, as they stand in the files beside this one. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

extern const char report_page[];   /* the frame, with @@NAME@@ for the parts */
extern const char report_style[];  /* STYLE */
extern const char report_common[]; /* COMMON: what both scripts need */
extern const char report_script[]; /* SCRIPT */
extern const char report_uplot[];  /* UPLOT */
extern const char report_uplot_style[];   /* UPLOT_STYLE */
extern const char report_uplot_licence[]; /* UPLOT_LICENCE */

extern const char report_diff[];        /* the frame of the page of diff */
extern const char report_diff_script[]; /* its SCRIPT */

#endif
