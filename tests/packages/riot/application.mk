# What an application's Makefile.include does with a package.
include $(PACKAGE)/Makefile.include
export CFLAGS INCLUDES

.PHONY: all
all:
	$(MAKE) -C $(PACKAGE)
