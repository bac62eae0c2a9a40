# Stands in for RIOT's: the sources come from a local folder.
ifneq (,$(.DEFAULT_GOAL))
  $(error pkg.mk comes first)
endif
$(foreach name, PKG_NAME PKG_URL PKG_VERSION PKG_LICENSE, \
    $(if $($(name)),,$(error there is no $(name))))

PKG_SOURCE_DIR = $(PKGDIRBASE)/$(PKG_NAME)

.PHONY: all
all: $(PKG_SOURCE_DIR)

$(PKG_SOURCE_DIR):
	cp -R $(PKG_SOURCE_LOCAL_BITFIT) $@
