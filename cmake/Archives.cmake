# use_archive(<prefix of pkg_check_modules> <library>)
#
# Link lib<library>.a instead of the shared library, if there is one. `berth` is executed for each command and each
# container; loading three shared libraries takes a quarter of a millisecond every time. BERTH_ARCHIVES=OFF for
# distributions that want shared libraries only.

option(BERTH_ARCHIVES "Link libseccomp, json-c, libcap and libyaml as archives, where there are archives" ON)

function(use_archive prefix library)
        if(NOT BERTH_ARCHIVES)
                return()
        endif()
        find_library(${prefix}_ARCHIVE NAMES "lib${library}.a" HINTS ${${prefix}_LIBRARY_DIRS} ${${prefix}_LIBDIR})
        mark_as_advanced(${prefix}_ARCHIVE)
        if(${prefix}_ARCHIVE)
                set_target_properties(PkgConfig::${prefix} PROPERTIES INTERFACE_LINK_LIBRARIES "${${prefix}_ARCHIVE}")
        endif()
        add_feature_info("${library} as an archive" ${prefix}_ARCHIVE "no shared library to load")
endfunction()
